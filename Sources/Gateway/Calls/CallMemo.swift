internal import AWSProtocol

/// A memo of recently parsed requests, so that a repeated one is not parsed again.
///
/// Requests are compared in full, byte by byte; the hash only finds the place. Each event loop has its own, with a fixed
/// number of places; a new entry overwrites the old one.
public final class CallMemo {
    private final class Entry {
        let target: [UInt8]
        let region: [UInt8]
        let principal: [UInt8]
        let body: [UInt8]
        let call: Call

        init(target: Span<UInt8>, region: Span<UInt8>, principal: Span<UInt8>, body: Span<UInt8>, call: Call) {
            self.target = Array(copying: target)
            self.region = Array(copying: region)
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
        target: Span<UInt8>, region: Span<UInt8>, principal: Span<UInt8> = Span(), body: Span<UInt8>, of gate: Gate
    ) -> Call {
        guard target.count + region.count + principal.count + body.count <= Self.maxBytes else {
            return gate.read(target: target, region: region, principal: principal, body: body)
        }
        var hash = Self.mix(Self.mix(Self.mix(seed, target), region), body)
        if !principal.isEmpty { hash = Self.mix(hash, principal) }
        let place = Int(truncatingIfNeeded: hash >> 32) & (Self.places - 1)
        if let entry = entries[place], body.hasBytes(entry.body), target.hasBytes(entry.target),
            region.hasBytes(entry.region), principal.hasBytes(entry.principal)
        {
            return entry.call
        }
        let call = gate.read(target: target, region: region, principal: principal, body: body)
        if call.isRepeatable {
            entries[place] = Entry(target: target, region: region, principal: principal, body: body, call: call)
        }
        return call
    }

    /// Folds eight bytes at a time by a full multiplication; the last eight may overlap those before.
    private static func mix(_ hash: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        var hash = hash ^ UInt64(truncatingIfNeeded: bytes.count)
        guard bytes.count >= 8 else {
            for index in bytes.indices { hash = fold(hash ^ UInt64(bytes[index])) }
            return hash
        }
        // Unsafe only in its pointer: every word read lies inside the span.
        return unsafe bytes.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                hash = unsafe fold(hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            return unsafe fold(hash ^ bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
    }

    private static func fold(_ word: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return high ^ low
    }
}
