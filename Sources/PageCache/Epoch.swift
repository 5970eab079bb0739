/// A moment in the life of one domain's pages: they are void as soon as the domain's epoch is raised.
///
/// Domains share a fixed number of counters, by hash. Two that share one only void each other's pages more often than
/// needed; in return memory is bounded whatever names callers invent, and nothing is ever forgotten.
struct Epoch: Sendable, Equatable {
    /// Which of the counters.
    let scope: UInt16
    /// Its value.
    let value: UInt32
}

/// What an invalidation is about: a domain of a service, or the operations of a service that have no domain.
public struct EpochScope: Sendable, Hashable {
    /// How many scopes there are.
    public static let count = 1024
    /// From 0 to `count - 1`.
    public let index: UInt16

    /// The same scope in every process, because a snapshot outlives one: FNV-1a with 64 bits
    /// (https://datatracker.ietf.org/doc/draft-eastlake-fnv/).
    ///
    /// - Parameters:
    ///   - service: the service's unique name.
    ///   - domain: the domain's id, empty for operations without a domain.
    public init(service: String, domain: [UInt8]) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for byte in service.utf8 { add(byte) }
        // No byte of a name's in UTF-8.
        add(0xff)
        for byte in domain { add(byte) }
        // The lower bits of a product know nothing of the upper ones.
        hash ^= hash >> 32
        index = UInt16(truncatingIfNeeded: (hash ^ hash >> 16) % UInt64(Self.count))
    }

    /// Every scope, in the order of their indices.
    public static let all = (0..<count).map { EpochScope(index: UInt16(truncatingIfNeeded: $0)) }

    private init(index: UInt16) { self.index = index }
}
