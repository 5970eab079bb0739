internal import AWSProtocol

/// A memo of recently parsed requests, so that a repeated one is not parsed again.
///
/// Requests are compared in full, byte by byte; the hash only finds the place. Each event loop has its own, with a fixed
/// number of places; a new entry overwrites the old one.
public final class CallMemo {
    private final class Entry {
        let target: [UInt8]
        let scope: [UInt8]
        let principal: [UInt8]
        let body: [UInt8]
        let call: Call

        init(target: Span<UInt8>, scope: Span<UInt8>, principal: Span<UInt8>, body: Span<UInt8>, call: Call) {
            self.target = Array(copying: target)
            self.scope = Array(copying: scope)
            self.principal = Array(copying: principal)
            self.body = Array(copying: body)
            self.call = call
        }
    }

    private static let places = 1024
    /// Larger requests are rare and not worth the memory.
    private static let maxBytes = 2048

    private var entries = [Entry?](repeating: nil, count: places)
    private let seed = UInt64.random(in: .min ... .max)

    /// An empty memo.
    public init() {}

    /// The parsed request; the arguments are those of `Gate.read`.
    public func call(
        target: Span<UInt8>, scope: Span<UInt8>, principal: Span<UInt8> = Span(), body: Span<UInt8>, of gate: Gate
    ) -> Call {
        guard target.count + scope.count + principal.count + body.count <= Self.maxBytes else {
            return gate.read(target: target, scope: scope, principal: principal, body: body)
        }
        var hash = ByteHash.mix(ByteHash.mix(ByteHash.mix(seed, target), scope), body)
        if !principal.isEmpty { hash = ByteHash.mix(hash, principal) }
        let place = Int(truncatingIfNeeded: hash >> 32) & (Self.places - 1)
        if let entry = entries[place], body.hasBytes(entry.body), target.hasBytes(entry.target),
            scope.hasBytes(entry.scope), principal.hasBytes(entry.principal)
        {
            return entry.call
        }
        let call = gate.read(target: target, scope: scope, principal: principal, body: body)
        if call.isRepeatable {
            entries[place] = Entry(target: target, scope: scope, principal: principal, body: body, call: call)
        }
        return call
    }
}
