/// A moment in the life of one domain's pages: they are void as soon as the epoch of the domain, or of its service, is raised.
///
/// Domains share a fixed number of counters, by hash, and so do services. Two that share one only void each other's pages more often
/// than needed; in return memory is bounded whatever names callers invent, and nothing is ever forgotten.
struct Epoch: Sendable, Equatable {
    /// Which of the counters.
    let scope: EpochScope
    /// The sum of their values, of which none ever falls.
    let value: UInt32
}

/// What an invalidation is about: a domain of a service, the operations of a service that have no domain, or all of a service.
///
/// A page's scope is its domain's. Scopes are equal if they raise the same counter.
public struct EpochScope: Sendable, Hashable {
    private static let domains = 1024
    private static let services = 64
    /// How many scopes there are.
    public static let count = domains + services
    /// From 0 to `count - 1`.
    public let index: UInt16
    /// The index of the scope that is all of the service.
    let service: UInt16

    /// - Parameters:
    ///   - service: the service's unique name.
    ///   - domain: the domain's id, empty for operations without a domain.
    public init(service: String, domain: [UInt8]) {
        self.init(
            index: Self.hash(service, domain) % UInt64(Self.domains), service: EpochScope(allOf: service).service)
    }

    /// All pages of a service.
    ///
    /// - Parameter service: its unique name.
    public init(allOf service: String) {
        let index = UInt64(Self.domains) + Self.hash(service, []) % UInt64(Self.services)
        self.init(index: index, service: UInt16(truncatingIfNeeded: index))
    }

    private init(index: UInt64, service: UInt16) {
        self.index = UInt16(truncatingIfNeeded: index)
        self.service = service
    }

    /// Every scope, in the order of their indices, to be raised; a page's scope is none of these.
    public static let all = (0..<count).map { EpochScope(index: UInt64($0), service: 0) }

    /// The same in every process, because a snapshot outlives one: FNV-1a with 64 bits
    /// (https://datatracker.ietf.org/doc/draft-eastlake-fnv/).
    private static func hash(_ service: String, _ domain: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for byte in service.utf8 { add(byte) }
        // No byte of a name's in UTF-8.
        add(0xff)
        for byte in domain { add(byte) }
        // The lower bits of a product know nothing of the upper ones.
        hash ^= hash >> 32
        return hash ^ hash >> 16
    }

    public static func == (left: EpochScope, right: EpochScope) -> Bool { left.index == right.index }

    public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}
