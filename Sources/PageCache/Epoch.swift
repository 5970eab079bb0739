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
    ///   - key: the same for all scopes of a cache, and of those that share pages with it.
    public init(service: String, domain: [UInt8], key: EpochKey = .known) {
        self.init(
            index: key.hash(service, domain) % UInt64(Self.domains),
            service: EpochScope(allOf: service, key: key).service)
    }

    /// The scope of all pages of a service.
    ///
    /// - Parameters:
    ///   - service: the service's unique name.
    ///   - key: see `init(service:domain:key:)`.
    public init(allOf service: String, key: EpochKey = .known) {
        let index = UInt64(Self.domains) + key.hash(service, []) % UInt64(Self.services)
        self.init(index: index, service: UInt16(truncatingIfNeeded: index))
    }

    private init(index: UInt64, service: UInt16) {
        self.index = UInt16(truncatingIfNeeded: index)
        self.service = service
    }

    /// All scopes in the order of their indices, for `PageCache.invalidate`. They do not know their service, so a page must not
    /// have one of these.
    public static let all = (0..<count).map { EpochScope(index: UInt64($0), service: 0) }

    public static func == (left: EpochScope, right: EpochScope) -> Bool { left.index == right.index }

    public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}
