/// Decides when credentials are fetched: one fetch at a time, ahead of their end, none for a while after a failure, and never
/// again if they do not end, unless a service does not accept them or the source has changed.
///
/// Whoever holds it asks it for each request, does what it says, and tells it how a fetch has ended. Credentials are used up
/// to a little before their end, whatever becomes of the fetch. Where there are none, requests wait for the first fetch; once
/// one has failed, nobody waits for the next ones, which may hang. What is due is due by the clock or by the time that has passed,
/// whichever comes first: ends are given by the clock, which may have been wrong when they were, and set right since. That costs
/// a fetch at most.
public struct CredentialRefresh: ~Copyable, Sendable {
    /// What a request gets, and whether a fetch begins.
    public enum Action: Sendable, Equatable {
        /// Sign with these.
        case use(AWSCredentials)
        /// Sign with these, and begin a fetch.
        case useAndFetch(AWSCredentials)
        /// There is nothing to sign with: begin a fetch.
        case fetch
        /// There is nothing to sign with until the fetch ends that is under way.
        case wait
        /// There is nothing to sign with, for this reason.
        case refuse(String)
        /// The same, and begin a fetch.
        case refuseAndFetch(String)
    }

    /// A moment, in nanoseconds.
    public struct Moment: Sendable, Equatable {
        /// By the clock, since 1970-01-01T00:00:00Z.
        public let clock: Int64
        /// Since some moment before; nothing sets it.
        public let uptime: Int64

        public init(clock: Int64, uptime: Int64) {
            self.clock = clock
            self.uptime = uptime
        }

        /// The moment when the clock shows this, as it goes now.
        func when(clock: Int64) -> Moment {
            let wait = clock.subtractingReportingOverflow(self.clock)
            let uptime = uptime.addingReportingOverflow(wait.overflow ? .max : wait.partialValue)
            return Moment(clock: clock, uptime: uptime.overflow ? .max : uptime.partialValue)
        }

        /// Whether it has come, by the clock or by the time that has passed.
        func hasCome(by now: Moment) -> Bool { now.clock >= clock || now.uptime >= uptime }
    }

    /// Credentials and how long requests may be signed with them.
    private struct Held {
        let credentials: AWSCredentials
        /// `nil` if they do not end.
        let end: Moment?
    }

    private enum State {
        /// Nothing was ever asked for. Next: fetching.
        case untried
        /// One fetch is under way, `failures` in a row are behind it, the last one for this reason. Next: holding, failed.
        case fetching(Held?, failures: Int, reason: String?)
        /// A service has not accepted what is held; requests wait for the fetch that is under way. Next: holding, failed.
        case renewing(Held?)
        /// The last fetch was good. Next: fetching, from `refreshAt` on; renewing.
        case holding(Held, refreshAt: Moment?)
        /// The last fetch failed. Next: fetching, from `retryAt` on.
        case failed(Held?, reason: String, failures: Int, since: Moment, retryAt: Moment)
    }

    private var state = State.untried
    private var renewedAt: Int64 = .min
    private var mayRenewAt: Int64 = .min

    public init() {}

    /// Whether a fetch is under way.
    public var isFetching: Bool {
        switch state {
        case .fetching, .renewing: true
        case .untried, .holding, .failed: false
        }
    }

    /// A request wants credentials. After `fetch`, `useAndFetch` or `refuseAndFetch`, `fetched` or `failed` must follow.
    public mutating func request(now: Moment) -> Action {
        switch state {
        case .untried:
            return begin(nil, failures: 0, reason: nil, now: now)
        case .fetching(let held, _, let reason):
            return Self.live(held, now).map(Action.use) ?? reason.map(Action.refuse) ?? .wait
        case .renewing:
            return .wait
        case .holding(let held, let refreshAt):
            guard refreshAt?.hasCome(by: now) == true else { return .use(held.credentials) }
            return begin(held, failures: 0, reason: nil, now: now)
        case .failed(let held, let reason, let failures, let since, let retryAt):
            // Before the failure it is only for a clock that was set back.
            if retryAt.hasCome(by: now) || now.clock < since.clock {
                return begin(held, failures: failures, reason: reason, now: now)
            }
            return Self.live(held, now).map(Action.use) ?? .refuse(reason)
        }
    }

    /// The fetch has brought these. If they are over already, it has failed.
    public mutating func fetched(
        _ credentials: AWSCredentials, now: Moment, using generator: inout some RandomNumberGenerator
    ) {
        guard let expiration = credentials.expiration else {
            state = .holding(Held(credentials: credentials, end: nil), refreshAt: nil)
            return
        }
        guard expiration > now.clock else {
            failed("the credentials that came had expired", now: now, using: &generator)
            return
        }
        let (difference, overflow) = expiration.subtractingReportingOverflow(now.clock)
        let life = overflow ? .max : difference
        let ahead = Self.ahead(life)
        let held = Held(credentials: credentials, end: now.when(clock: expiration - min(Self.margin, life / 10)))
        let refreshAt = expiration - ahead + Int64.random(in: 0...ahead / 3, using: &generator)
        state = .holding(held, refreshAt: now.when(clock: refreshAt))
    }

    /// The fetch has failed.
    ///
    /// - Parameter reason: a sentence for an operator, without secrets.
    public mutating func failed(_ reason: String, now: Moment, using generator: inout some RandomNumberGenerator) {
        var held: Held?
        var failures = 1
        switch state {
        case .fetching(let before, let count, _): (held, failures) = (before, min(count, 62) + 1)
        // It may be accepted by other services.
        case .renewing(let before): held = before
        case .untried, .holding, .failed: break
        }
        let retryAt = now.clock.addingReportingOverflow(Self.pause(after: failures, using: &generator))
        state = .failed(
            held, reason: reason, failures: failures, since: now,
            retryAt: now.when(clock: retryAt.overflow ? .max : retryAt.partialValue))
    }

    /// What becomes of credentials that a service did not accept.
    public enum Renewal: Sendable, Equatable {
        /// Begin a fetch; requests wait for it.
        case fetch
        /// There are others by now, or a fetch is under way that requests wait for.
        case renewed
        /// No better ones can be had now.
        case declined
    }

    /// A service has not accepted these credentials. After `fetch`, `fetched` or `failed` must follow.
    ///
    /// A service that accepts none, whatever is fetched, causes a fetch every two seconds at the most.
    public mutating func renew(_ refused: AWSCredentials, now: Int64) -> Renewal {
        switch state {
        case .renewing:
            return .renewed
        case .fetching(let held, _, nil):
            if held?.credentials == refused { state = .renewing(held) }
            return .renewed
        case .holding(let held, _):
            guard held.credentials == refused else { return .renewed }
            // Before the last one it is only for a clock that was set back.
            guard now >= mayRenewAt || now < renewedAt else { return .declined }
            renewedAt = now
            mayRenewAt = now.addingReportingOverflow(Self.renewalPause).partialValue
            state = .renewing(held)
            return .fetch
        case .fetching, .failed, .untried:
            return .declined
        }
    }

    /// The source has changed: it is read anew ahead of time, and what is held is used meanwhile.
    ///
    /// - Returns: whether to begin a fetch, after which `fetched` or `failed` must follow.
    public mutating func sourceChanged() -> Bool {
        switch state {
        case .holding(let held, _): state = .fetching(held, failures: 0, reason: nil)
        case .failed(let held, let reason, let failures, _, _):
            state = .fetching(held, failures: failures, reason: reason)
        case .untried, .fetching, .renewing: return false
        }
        return true
    }

    private mutating func begin(_ held: Held?, failures: Int, reason: String?, now: Moment) -> Action {
        let live = Self.live(held, now)
        // What is over will not come back, and need not be kept in memory.
        state = .fetching(live == nil ? nil : held, failures: failures, reason: reason)
        return live.map(Action.useAndFetch) ?? reason.map(Action.refuseAndFetch) ?? .fetch
    }

    private static func live(_ held: Held?, _ now: Moment) -> AWSCredentials? {
        guard let held, held.end?.hasCome(by: now) != true else { return nil }
        return held.credentials
    }
}

// MARK: Spans

extension CredentialRefresh {
    /// A request that is signed has to arrive before the end.
    private static let margin: Int64 = 10_000_000_000

    /// Between two fetches that refusals cause.
    private static let renewalPause: Int64 = 2_000_000_000

    /// How long before their end credentials are fetched anew: a quarter of an hour, and up to a third less by chance, so
    /// that gateways that began together do not go on so. (The SDKs try from 15 minutes before the end on and insist from 10
    /// minutes on.) Of a short life it is a third. A source that still gives the same ones is asked again after two thirds of
    /// what is left each time.
    private static func ahead(_ life: Int64) -> Int64 { min(900_000_000_000, life / 3) }

    /// A quarter of a second after the first failure, then twice as long each time up to a minute, up to half of it less by
    /// chance.
    private static func pause(after failures: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let longest = min(Int64(250_000_000) << min(failures - 1, 8), 60_000_000_000)
        return Int64.random(in: longest / 2...longest, using: &generator)
    }
}
