public import RateLimiter
internal import Synchronization

/// What somebody may ask for, and whether it is enforced.
public struct Limit: Sendable, Equatable {
    public var quota: Quota
    /// In shadow mode it is counted what the limit would refuse, and nothing is refused.
    public var isShadow: Bool

    public init(_ quota: Quota, isShadow: Bool = false) {
        self.quota = quota
        self.isShadow = isShadow
    }
}

/// Somebody who calls, as the configuration knows them.
public struct CallerSettings: Sendable {
    public var name: String
    /// The part in a quota that others want too, in proportion to theirs.
    public var weight: Double
    public var limit: Limit
    /// Limits of their own for operations, by name.
    public var operationLimits: [String: Limit]

    public init(name: String, weight: Double = 1, limit: Limit, operationLimits: [String: Limit] = [:]) {
        self.name = name
        self.weight = weight
        self.limit = limit
        self.operationLimits = operationLimits
    }
}

/// A caller and what is left of their limits.
final class Caller: Sendable {
    /// A limit's bucket.
    final class Allowance: Sendable {
        let bucket: AtomicBucket
        let isShadow: Bool
        /// What it is a limit of, for a message.
        let subject: String

        init(_ limit: Limit, _ subject: String) {
            bucket = AtomicBucket(limit.quota)
            isShadow = limit.isShadow
            self.subject = subject
        }
    }

    /// The place in the queues of quota groups.
    let claim: Claim
    let general: Allowance
    /// Those of operations with a limit of their own, by the place of the operation's name in `Gate.operationNames`.
    private let byOperation: [Int: Allowance]

    init(_ settings: CallerSettings, index: Int, operationNames: [String]) {
        claim = .caller(UInt32(truncatingIfNeeded: index), weight: settings.weight)
        general = Allowance(settings.limit, "caller \(settings.name)")
        var byOperation: [Int: Allowance] = [:]
        for (place, name) in operationNames.enumerated() {
            byOperation[place] = settings.operationLimits[name].map {
                Allowance($0, "caller \(settings.name) for \(name)")
            }
        }
        self.byOperation = byOperation
    }

    var hasOperationLimits: Bool { !byOperation.isEmpty }

    func allowance(_ operation: Int) -> Allowance { byOperation[operation] ?? general }
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
