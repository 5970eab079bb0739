internal import Primitives
public import RateLimiter
internal import Synchronization

/// A rate limit, and whether it is enforced.
public struct Limit: Sendable, Equatable {
    public var quota: Quota
    /// In shadow mode refusals are counted and not carried out.
    public var isShadow: Bool

    public init(_ quota: Quota, isShadow: Bool = false) {
        self.quota = quota
        self.isShadow = isShadow
    }
}

/// A caller, as configured.
public struct CallerSettings: Sendable {
    public var name: String
    /// The caller's share of a contended quota, in proportion to the weights of the others.
    public var weight: Double
    public var limit: Limit
    /// Limits for single operations, by name.
    public var operationLimits: [String: Limit]
    /// The permitted operations and domains.
    public var operations: [Glob]
    public var domains: [Glob]
    /// Whether `Cache-Control: no-cache` is honoured.
    public var noCache: Bool

    public init(
        name: String, weight: Double = 1, limit: Limit, operationLimits: [String: Limit] = [:],
        operations: [Glob] = [Glob("*")], domains: [Glob] = [Glob("*")], noCache: Bool = false
    ) {
        self.name = name
        self.weight = weight
        self.limit = limit
        self.operationLimits = operationLimits
        self.operations = operations
        self.domains = domains
        self.noCache = noCache
    }
}

/// A caller with its permissions and buckets.
final class Caller: Sendable {
    /// A limit's bucket.
    final class Allowance: Sendable {
        let bucket: AtomicBucket
        let isShadow: Bool
        /// The answers for an empty bucket, by the service's index.
        let notices: [ThrottleNotice]

        /// - Parameter subject: the limit's subject, for a message.
        init(_ limit: Limit, _ subject: String, _ services: [Service]) {
            bucket = AtomicBucket(limit.quota)
            isShadow = limit.isShadow
            let text = "\(subject) is limited to \(ThrottleNotice.rate(limit.quota))"
            notices = services.map { ThrottleNotice(.caller, text, $0.catalog) }
        }
    }

    let name: String
    /// The place in the queues of quota groups.
    let claim: Claim
    let noCache: Bool
    let general: Allowance
    /// Those of operations with a limit of their own.
    private let byOperation: [OperationID: Allowance]
    private let operations: [Glob]
    /// Whether an operation is permitted, by its id.
    private let permittedOperations: [Bool]
    private let domains: [Glob]
    /// Whether requests about every domain, or none, are permitted.
    let permitsAllDomains: Bool

    init(_ settings: CallerSettings, _ id: CallerID, operationNames: [String], services: [Service]) {
        name = settings.name
        noCache = settings.noCache
        operations = settings.operations
        permittedOperations = operationNames.map { name in settings.operations.contains { $0.matches(Array(name.utf8)) }
        }
        domains = settings.domains
        permitsAllDomains = settings.domains.contains(where: \.matchesAll)
        claim = .caller(UInt32(truncatingIfNeeded: id.index), weight: settings.weight)
        general = Allowance(settings.limit, "caller \(settings.name)", services)
        var byOperation: [OperationID: Allowance] = [:]
        for (place, name) in operationNames.enumerated() {
            byOperation[OperationID(place)] = settings.operationLimits[name].map {
                Allowance($0, "caller \(settings.name) for \(name)", services)
            }
        }
        self.byOperation = byOperation
        tellsOperationsApart = !byOperation.isEmpty || !settings.operations.contains(where: \.matchesAll)
    }

    /// Whether limits or permissions depend on the operation.
    let tellsOperationsApart: Bool

    func allowance(_ operation: OperationID) -> Allowance { byOperation[operation] ?? general }

    /// Whether an operation that the catalogs know is permitted.
    func permits(operation: OperationID) -> Bool { permittedOperations[operation.index] }

    /// Whether an operation of this name is permitted.
    func permits(operationNamed name: [UInt8]) -> Bool { operations.contains { $0.matches(name) } }

    /// Whether requests about a domain are permitted.
    ///
    /// - Parameter domain: empty if the request names none; that takes the permission for all domains.
    func permits(domain: [UInt8]) -> Bool {
        permitsAllDomains || !domain.isEmpty && domains.contains { $0.matches(domain) }
    }
}

/// Counts what limits in shadow mode would have refused.
public final class ShadowCounts: Sendable {
    private let caller = Atomic<UInt64>(0)
    private let domain = Atomic<UInt64>(0)
    private let quota = Atomic<UInt64>(0)

    func count(_ scope: ThrottleScope) {
        switch scope {
        case .caller: caller.wrappingAdd(1, ordering: .relaxed)
        case .domain: domain.wrappingAdd(1, ordering: .relaxed)
        case .quota: quota.wrappingAdd(1, ordering: .relaxed)
        case .waiters: break
        }
    }

    /// How often that limit would have refused.
    public subscript(scope: ThrottleScope) -> UInt64 {
        switch scope {
        case .caller: caller.load(ordering: .relaxed)
        case .domain: domain.load(ordering: .relaxed)
        case .quota: quota.load(ordering: .relaxed)
        case .waiters: 0
        }
    }
}
