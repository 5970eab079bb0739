/// The value of a scope's epoch. Pages of the scope are void as soon as the epoch of their domain or service is raised.
///
/// Domains share a fixed number of counters by hash, and services do too. Two that share one void each other's pages more often
/// than needed. In return memory is bounded, whatever names callers invent, and no epoch is ever forgotten.
struct Epoch: Sendable, Equatable {
    /// The counters.
    let scope: EpochScope
    /// The sum of the domain's and the service's counter, which only rise.
    let value: UInt32
}

/// The pages that an invalidation voids: those of a domain, of a service's operations without a domain, or of a whole service.
///
/// A page's scope is its domain's. Scopes are equal if they have the same counter.
public struct EpochScope: Sendable, Hashable {
    private static let domains = 1024
    private static let services = 64
    /// The number of scopes.
    public static let count = domains + services
    /// From 0 to `count - 1`.
    public let index: UInt16
    /// The index of the scope of its service; see `PageCache.invalidate`.
    public let service: UInt16

    /// The scope of a domain.
    ///
    /// - Parameters:
    ///   - service: the service's unique name.
    ///   - domain: the domain's id, empty for operations without a domain.
    public init(service: String, domain: [UInt8]) {
        self.init(
            index: Self.hash(service, domain) % UInt64(Self.domains), service: EpochScope(allOf: service).service)
    }

    /// The scope of all pages of a service.
    ///
    /// - Parameter service: the service's unique name.
    public init(allOf service: String) {
        let index = UInt64(Self.domains) + Self.hash(service, []) % UInt64(Self.services)
        self.init(index: index, service: UInt16(truncatingIfNeeded: index))
    }

    private init(index: UInt64, service: UInt16) {
        self.index = UInt16(truncatingIfNeeded: index)
        self.service = service
    }

    /// All scopes in the order of their indices, for `PageCache.invalidate`. They do not know their service, so a page must not
    /// have one of these.
    public static let all = (0..<count).map { EpochScope(index: UInt64($0), service: 0) }

    /// FNV-1a with 64 bits (https://datatracker.ietf.org/doc/draft-eastlake-fnv/): unlike Swift's hash the same in every
    /// process, because a snapshot outlives its process.
    private static func hash(_ service: String, _ domain: [UInt8]) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for byte in service.utf8 { add(byte) }
        // A separator: UTF-8 has no such byte.
        add(0xff)
        for byte in domain { add(byte) }
        // The lower bits of a product do not depend on the upper bits of its factors.
        hash ^= hash >> 32
        return hash ^ hash >> 16
    }

    public static func == (left: EpochScope, right: EpochScope) -> Bool { left.index == right.index }

    public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}
