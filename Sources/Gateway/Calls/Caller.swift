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
    /// Limits by the names of operations. Those that one name means share its limit.
    public var operationLimits: OperationRules<Limit>
    /// The permitted operations and domains.
    public var operations: [OperationPattern]
    public var domains: [Glob]
    /// True if `Cache-Control: no-cache` is honoured.
    public var noCache: Bool

    public init(
        name: String, weight: Double = 1, limit: Limit, operationLimits: OperationRules<Limit> = [:],
        operations: [OperationPattern] = [OperationPattern("*")], domains: [Glob] = [Glob("*")], noCache: Bool = false
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

final class Caller: Sendable {
    final class Allowance: Sendable {
        let bucket: AtomicBucket
        let isShadow: Bool
        /// The limit's subject and rate, for a message.
        private let text: String
        /// By the service's index.
        private let notices: [Notice]

        /// The answer for an empty bucket. It is made when it is first needed: there may be hundreds of callers and of services.
        private final class Notice: Sendable {
            let made = AtomicLazyReference<ThrottleNotice>()
        }

        /// - Parameters:
        ///   - subject: the limit's subject, for a message.
        ///   - old: the same limit before a reload, whose tokens it has.
        init(_ limit: Limit, _ subject: String, after old: Allowance?, serviceCount: Int, now: MonotonicInstant) {
            bucket =
                old.map { AtomicBucket(limit.quota, keepingTokensOf: $0.bucket, now: now) } ?? AtomicBucket(limit.quota)
            isShadow = limit.isShadow
            text = "\(subject) is limited to \(ThrottleNotice.rate(limit.quota))"
            notices = (0..<serviceCount).map { _ in Notice() }
        }

        /// The allowance of a limit; the one that there was, if it is the same.
        static func make(
            _ limit: Limit, _ subject: String, after old: Allowance?, serviceCount: Int, now: MonotonicInstant
        ) -> Allowance {
            if let old, old.bucket.quota == limit.quota, old.isShadow == limit.isShadow { return old }
            return Allowance(limit, subject, after: old, serviceCount: serviceCount, now: now)
        }

        /// The answer for an empty bucket.
        func notice(for service: Service) -> ThrottleNotice {
            let notice = notices[service.index]
            if let made = notice.made.load() { return made }
            return notice.made.storeIfNil(ThrottleNotice(.caller, text, service.catalog))
        }
    }

    let settings: CallerSettings
    let name: String
    /// The place in the queues of quota groups.
    let claim: Claim
    let noCache: Bool
    let general: Allowance
    /// Those of operations with a limit of their own, and by an operation's id the index of its limit; empty if there is none.
    private let ruled: [Allowance]
    private let ruleOfOperation: [Int32]
    private let operations: [OperationPattern]
    /// By an operation's id; empty if all are permitted.
    private let permitted: [Bool]
    private let domains: [Glob]
    /// True if requests about every domain, or none, are permitted.
    let permitsAllDomains: Bool

    /// - Parameter old: the same caller before a reload, whose buckets it has.
    init(
        _ settings: CallerSettings, _ id: CallerID, after old: Caller? = nil, rules: CallerRules, serviceCount: Int,
        now: MonotonicInstant = .distantPast
    ) {
        self.settings = settings
        name = settings.name
        noCache = settings.noCache
        operations = settings.operations
        permitted = rules.permitted(settings.operations)
        domains = settings.domains
        permitsAllDomains = settings.domains.contains(where: \.matchesAll)
        claim = .caller(UInt32(truncatingIfNeeded: id.index), weight: settings.weight)
        general = .make(
            settings.limit, "caller \(settings.name)", after: old?.general, serviceCount: serviceCount, now: now)
        ruleOfOperation = rules.limits(settings.operationLimits.patterns)
        ruled = zip(settings.operationLimits.patterns, settings.operationLimits.values).map {
            .make(
                $1, "caller \(settings.name) for \($0.text)", after: old?.ruled($0), serviceCount: serviceCount,
                now: now)
        }
        tellsOperationsApart = !ruled.isEmpty || !permitted.isEmpty
    }

    let tellsOperationsApart: Bool

    /// The allowance of the operations that a pattern names.
    private func ruled(_ pattern: OperationPattern) -> Allowance? {
        zip(settings.operationLimits.patterns, ruled).first { $0.0 == pattern }?.1
    }

    func allowance(_ operation: OperationID) -> Allowance {
        guard ruleOfOperation.indices.contains(operation.index), ruleOfOperation[operation.index] >= 0 else {
            return general
        }
        return ruled[Int(ruleOfOperation[operation.index])]
    }

    func permits(_ operation: OperationID) -> Bool { permitted.isEmpty || permitted[operation.index] }

    /// - Parameter service: its name; empty for requests to no service.
    func permits(operationNamed name: [UInt8], of service: String) -> Bool {
        operations.contains { $0.matches(service: Array(service.utf8), operation: name) }
    }

    /// Returns true if requests about a domain are permitted.
    ///
    /// - Parameter domain: empty if the request names none; that takes the permission for all domains.
    func permits(domain: [UInt8]) -> Bool {
        permitsAllDomains || !domain.isEmpty && domains.contains { $0.matches(domain) }
    }
}

/// The operations that names in callers' settings mean. Callers with equal settings share one answer: there may be thousands, of both
/// callers and operations.
final class CallerRules {
    private let names: OperationNames
    private var lastPermitted: (patterns: [OperationPattern], result: [Bool]) = ([], [])
    private var lastLimits: (patterns: [OperationPattern], result: [Int32]) = ([], [])

    init(_ names: OperationNames) { self.names = names }

    /// By the operations' ids, whether a pattern matches; empty if one matches all. For what is in no catalog it is false.
    func permitted(_ patterns: [OperationPattern]) -> [Bool] {
        if patterns.contains(where: \.matchesAll) { return [] }
        if patterns.isEmpty || patterns != lastPermitted.patterns {
            let result = map { service, operation in
                patterns.contains { $0.matches(service: service, operation: operation) }
            }
            lastPermitted = (patterns, result.map { $0 ?? false })
        }
        return lastPermitted.result
    }

    /// By the operations' ids, the index of the first pattern that matches, -1 if none does; empty without patterns.
    func limits(_ patterns: [OperationPattern]) -> [Int32] {
        if patterns != lastLimits.patterns {
            let result = map { service, operation in
                patterns.firstIndex { $0.matches(service: service, operation: operation) } ?? -1
            }
            lastLimits = (patterns, result.map { Int32(clamping: $0 ?? -1) })
        }
        return lastLimits.result
    }

    /// - Parameter value: called with the names of a service and of an operation.
    private func map<Value>(_ value: ([UInt8], [UInt8]) -> Value) -> [Value?] {
        (0..<names.count).map { index in
            guard let found = names.operation(OperationID(index)), let place = found.place else { return nil }
            let name = found.service.catalog.operations[place].name
            return value(Array(found.service.settings.name.utf8), Array(name.utf8))
        }
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
        case .waiters, .streams: break
        }
    }

    /// How often that limit would have refused.
    public subscript(scope: ThrottleScope) -> UInt64 {
        switch scope {
        case .caller: caller.load(ordering: .relaxed)
        case .domain: domain.load(ordering: .relaxed)
        case .quota: quota.load(ordering: .relaxed)
        case .waiters, .streams: 0
        }
    }
}
