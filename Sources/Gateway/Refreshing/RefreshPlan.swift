internal import Glibc
internal import Locking
internal import PageCache
public import Primitives
internal import RefreshScheduler

/// What is known of pages' changes and requests, and which page is refreshed next. Any thread may call; time is an argument.
public final class RefreshPlan: Sendable {
    /// What became of a refresh. The raw value is the metric label.
    public enum RefreshResult: String, Sendable, CaseIterable {
        case changed, unchanged, failed
    }

    /// The pages that are alike before anything is known of them: those of an operation, filtered by one status.
    struct Kind {
        /// Statuses are what callers write, so they share as many kinds.
        static let statuses = 16

        let number: Int
        let operation: OperationID

        /// - Parameter status: nil for pages that are not filtered by one.
        init(_ operation: OperationID, status: [UInt8]?) {
            self.operation = operation
            number = operation.index * Self.statuses + Self.place(of: status)
        }

        /// FNV-1a (https://datatracker.ietf.org/doc/draft-eastlake-fnv/), so that a kind is the same in every process.
        private static func place(of status: [UInt8]?) -> Int {
            guard let status else { return 0 }
            var hash: UInt32 = 0x811c_9dc5
            for byte in status { hash = (hash ^ UInt32(byte)) &* 0x0100_0193 }
            return 1 + Int((hash ^ hash >> 16) % UInt32(statuses - 1))
        }
    }

    /// A page that was stored before.
    struct Former {
        let place: Int
        let fetchedAt: MonotonicInstant
        let hasChanged: Bool
    }

    struct State {
        var scheduler: RefreshScheduler
        var priors = ChangePriors()
        /// The status of each kind that was seen, one of them if several share it.
        var statuses: [Int: [UInt8]] = [:]
        /// By operation and `RefreshResult`.
        var refreshes: [UInt64]
        var judged = JudgedAnswers()
    }

    let settings: RefreshSettings
    /// True if pages are remembered: they are refreshed ahead, or have a time to live of their own.
    let remembersPages: Bool
    let state: Locked<State>

    /// - Parameter remembersPages: true if estimates are of use even if no page is refreshed ahead.
    init(_ settings: RefreshSettings, groups: Int, operations: Int, remembersPages: Bool) {
        self.settings = settings
        self.remembersPages = remembersPages || settings.share > 0
        state = Locked(
            State(
                scheduler: RefreshScheduler(groups: groups, minInterval: settings.minInterval),
                refreshes: [UInt64](repeating: 0, count: operations * RefreshResult.allCases.count)))
    }

    /// The memory that a page takes here, in bytes.
    public static func bytesPerPage(_ settings: RefreshSettings, hasAdaptiveTTL: Bool) -> Int {
        settings.share > 0 || hasAdaptiveTTL ? RefreshScheduler.bytesPerPage : 0
    }

    // MARK: Fetches

    /// A page was fetched: how often it changes, as far as is known now.
    ///
    /// - Parameters:
    ///   - former: the page before it, if it is still there and valid.
    ///   - status: what it is filtered by.
    ///   - lifetime: the time to live that is configured, in nanoseconds.
    ///   - sentAt: when the request for it was sent.
    func learn(
        _ kind: Kind, status: [UInt8]?, former: Former?, lifetime: Int64, sentAt: MonotonicInstant
    ) -> ChangeEstimate {
        state.withLock { state in
            if let status, state.statuses[kind.number] == nil, status.count <= 64 {
                state.statuses[kind.number] = status
            }
            let prior = state.priors.estimate(of: kind.number, lifetime: Double(lifetime) / 1e9)
            guard let former else { return prior }
            var estimate = state.scheduler.estimate(of: former.place, fetchedAt: former.fetchedAt) ?? prior
            estimate.observe(hasChanged: former.hasChanged, over: Double(sentAt - former.fetchedAt) / 1e9)
            state.priors.learn(estimate, kind: kind.number)
            return estimate
        }
    }

    /// The page was stored.
    ///
    /// - Parameters:
    ///   - place: where; nil if it was not.
    ///   - requests: for the former page, as the cache has counted them.
    ///   - group: its quota group; nil if it cannot be refreshed without a caller.
    ///   - isAdaptive: true if its time to live is an estimate.
    ///   - timeToLive: after which it should have been refreshed with what is spare, in nanoseconds.
    func stored(
        _ page: Page, at place: Int?, _ kind: Kind, _ estimate: ChangeEstimate, former: Former?, requests: Int,
        group: Int?, isAdaptive: Bool, timeToLive: Int64
    ) {
        state.withLock { state in
            if let former {
                count(former.hasChanged ? .changed : .unchanged, kind.operation, &state)
                let age = Double(page.fetchedAt - former.fetchedAt) / 1e9
                let counted = state.scheduler.counted(of: former.place, fetchedAt: former.fetchedAt)
                state.judged.add(
                    requests + counted, outdated: former.hasChanged ? Freshness.outdatedPart(estimate.rate * age) : 0,
                    now: page.fetchedAt)
            }
            guard remembersPages, let place, let group else { return }
            let observation = former.map {
                RefreshScheduler.Observation(before: $0.fetchedAt, hasChanged: $0.hasChanged, requests: requests)
            }
            // A refresh takes a moment, and the last ones before a page is of no use may wait for each other.
            let rest = (page.usableUntil - page.fetchedAt) / 16
            state.scheduler.stored(
                place, group: group, isAdaptive: isAdaptive, fetchedAt: page.fetchedAt, estimate: estimate,
                observation: observation, timeToLive: timeToLive,
                lastChance: page.usableUntil - rest)
        }
    }

    /// A page could not be refreshed, or is not there any more.
    func ended(
        _ result: RefreshResult, _ operation: OperationID, of place: Int, fetchedAt: MonotonicInstant,
        now: MonotonicInstant
    ) {
        state.withLock { state in
            count(result, operation, &state)
            state.scheduler.putOff(place, fetchedAt: fetchedAt, until: now + max(settings.minInterval, Self.pause))
        }
    }

    /// A page whose refresh has failed is left alone for so long, in nanoseconds.
    private static let pause: Int64 = 5_000_000_000

    private func count(_ result: RefreshResult, _ operation: OperationID, _ state: inout State) {
        let place =
            operation.index * RefreshResult.allCases.count + (RefreshResult.allCases.firstIndex(of: result) ?? 0)
        if state.refreshes.indices.contains(place) { state.refreshes[place] &+= 1 }
    }

    // MARK: Figures

    /// How many refreshes of an operation's pages ended so.
    public func refreshes(_ operation: OperationID, _ result: RefreshResult) -> UInt64 {
        let place =
            operation.index * RefreshResult.allCases.count + (RefreshResult.allCases.firstIndex(of: result) ?? 0)
        return state.withLock { $0.refreshes.indices.contains(place) ? $0.refreshes[place] : 0 }
    }

    /// The part of the answers of late that were out of date, as the fetches after them have shown; 0 before the first.
    public var staleness: Double { state.withLock { $0.judged.outdatedPart } }

    /// How pages of each kind change, for an operator.
    public struct KindFigures: Sendable {
        public let operation: OperationID
        /// What they are filtered by; nil if by nothing.
        public let status: String?
        /// Seconds between two changes, for a page that nothing else is known of.
        public let interval: Double
        let estimate: ChangeEstimate
    }

    /// By operation.
    public var kinds: [KindFigures] {
        state.withLock { state in
            state.priors.all.map { kind, estimate in
                KindFigures(
                    operation: OperationID(kind / Kind.statuses),
                    status: state.statuses[kind].map { String(decoding: $0, as: UTF8.self) },
                    interval: 1 / estimate.rate, estimate: estimate)
            }
        }
    }
}

/// Answers of which a later fetch has shown whether they were out of date, forgotten with time.
struct JudgedAnswers {
    private var answers = 0.0
    private var outdated = 0.0
    private var lastAt = MonotonicInstant.distantPast

    /// What came so many nanoseconds ago counts half.
    private static let halfLife = 300e9

    var outdatedPart: Double { answers > 0 ? outdated / answers : 0 }

    /// - Parameter outdated: the part of them that was out of date, by what is expected.
    mutating func add(_ count: Int, outdated part: Double, now: MonotonicInstant) {
        if now > lastAt {
            let kept = lastAt == .distantPast ? 0 : exp2(-Double(now - lastAt) / Self.halfLife)
            (answers, outdated, lastAt) = (answers * kept, outdated * kept, now)
        }
        answers += Double(count)
        outdated += Double(count) * part
    }
}
