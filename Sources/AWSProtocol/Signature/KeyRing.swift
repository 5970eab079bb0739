internal import Glibc
public import Primitives

/// The access keys of callers, and the scopes that they may sign for. Immutable.
public final class KeyRing: Sendable {
    /// An access key of a caller.
    public struct Key: Sendable {
        public let id: String
        let secret: String
        public let caller: CallerID

        public init(id: String, secret: String, caller: CallerID) {
            self.id = id
            self.secret = secret
            self.caller = caller
        }
    }

    let scopes: [SigningScope]
    let keys: [Key]
    private let ids: [[UInt8]]
    /// The scopes as credentials write them, `region/service`, in the order of their bytes, and the index of each in `scopes`.
    private let scopeTexts: [[UInt8]]
    private let scopePlaces: [Int]

    /// - Parameter keys: the keys, with unique ids.
    public init(keys: [Key], scopes: [SigningScope]) {
        self.scopes = scopes
        let sorted = keys.map { (id: Array($0.id.utf8), key: $0) }.sorted { $0.id.lexicographicallyPrecedes($1.id) }
        ids = sorted.map(\.id)
        self.keys = sorted.map(\.key)
        let texts = scopes.enumerated().map { (text: Array("\($1.region)/\($1.service)".utf8), place: $0) }.sorted {
            $0.text == $1.text ? $0.place < $1.place : $0.text.lexicographicallyPrecedes($1.text)
        }
        scopeTexts = texts.map(\.text)
        scopePlaces = texts.map(\.place)
    }

    public var isEmpty: Bool { keys.isEmpty }

    /// The index of the key with this id in `keys`, `nil` if there is none.
    func place(of id: Span<UInt8>) -> Int? {
        Self.place(of: id, in: ids)
    }

    /// The index of a scope in `scopes`, of the first of equal ones; `nil` if there is none.
    ///
    /// - Parameter text: `region/service`.
    func scope(_ text: Span<UInt8>) -> Int? {
        Self.place(of: text, in: scopeTexts).map { scopePlaces[$0] }
    }

    /// The index of a text among sorted ones, of the first of equal ones; `nil` if it is not there.
    private static func place(of text: Span<UInt8>, in texts: [[UInt8]]) -> Int? {
        var range = texts.indices
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = order(texts[middle], text) < 0 ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        let place = range.lowerBound
        return place < texts.count && order(texts[place], text) == 0 ? place : nil
    }

    /// Less than, equal to or greater than 0 if the left side precedes, equals or follows the right one.
    private static func order(_ left: [UInt8], _ right: Span<UInt8>) -> Int {
        // Unsafe because of the pointers, which do not leave the closures; both have the compared bytes.
        let order = unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let one = left.baseAddress, let other = right.baseAddress else { return 0 }
                return unsafe Int(memcmp(one, other, min(left.count, right.count)))
            }
        }
        return order == 0 ? left.count - right.count : order
    }
}

extension KeyRing: CustomStringConvertible, CustomReflectable {
    public var description: String { "\(keys.count) keys" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension KeyRing.Key: CustomStringConvertible, CustomReflectable {
    public var description: String { "key \(id)" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
