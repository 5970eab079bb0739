public import Primitives

/// The state machine that decides when credentials are fetched: one fetch at a time, ahead of their expiration, with a pause
/// after a failure. Permanent credentials are fetched again only if a service refuses them or their source has changed.
///
/// The owner calls `request` for each request, carries out the action, and reports the result of each fetch. Credentials are
/// used until shortly before their expiration, even if fetches fail. Without credentials, requests wait for the first fetch.
/// Once a fetch has failed, requests do not wait for the next ones, which may hang. An instant has come when either the wall
/// clock or the monotonic clock has reached it: the wall clock may have been wrong when an expiration was received, and may
/// have been corrected since. That costs one fetch at most.
public struct CredentialRefresh: ~Copyable, Sendable {
    /// The answer to a request for credentials.
    public enum Action: Sendable, Equatable {
        /// Sign with these.
        case use(AWSCredentials)
        /// Sign with these, and begin a fetch.
        case useAndFetch(AWSCredentials)
        /// There are no credentials: begin a fetch, and wait for it.
        case fetch
        /// There are no credentials: wait for the fetch in progress.
        case wait
        /// There are no credentials, for this reason.
        case refuse(String)
        /// There are no credentials, for this reason. Begin a fetch.
        case refuseAndFetch(String)
    }

    /// An instant by two clocks.
    public struct Moment: Sendable, Equatable {
        public let clock: WallInstant
        public let uptime: MonotonicInstant

        public init(clock: WallInstant, uptime: MonotonicInstant) {
            self.clock = clock
            self.uptime = uptime
        }

        /// The later moment at which the wall clock shows `clock`, if it is not set before.
        func when(clock: WallInstant) -> Moment {
            Moment(clock: clock, uptime: uptime + (clock - self.clock))
        }

        func hasCome(by now: Moment) -> Bool { now.clock >= clock || now.uptime >= uptime }
    }

    /// Credentials and the end of their use.
    private struct Held {
        let credentials: AWSCredentials
        /// `nil` for permanent ones.
        let end: Moment?
    }

    private enum State {
        /// No request has come yet. Next: fetching.
        case untried
        /// A fetch is in progress after `failures` failures in a row, the last one for this reason. Next: holding, failed.
        case fetching(Held?, failures: Int, reason: String?)
        /// A service has refused the credentials; requests wait for the fetch in progress. Next: holding, failed.
        case renewing(Held?)
        /// The last fetch succeeded. Next: fetching, from `refreshAt` on; renewing.
        case holding(Held, refreshAt: Moment?)
        /// The last fetch failed. Next: fetching, from `retryAt` on.
        case failed(Held?, reason: String, failures: Int, since: Moment, retryAt: Moment)
    }

    private var state = State.untried
    private var renewedAt = WallInstant.distantPast
    private var mayRenewAt = WallInstant.distantPast

    /// A machine without credentials.
    public init() {}

    /// True while a fetch is in progress.
    public var isFetching: Bool {
        switch state {
        case .fetching, .renewing: true
        case .untried, .holding, .failed: false
        }
    }

    /// When the credentials that are held end to be valid; `nil` for permanent ones, and without any.
    public var expiration: WallInstant? {
        switch state {
        case .untried: nil
        case .fetching(let held, _, _), .renewing(let held), .failed(let held, _, _, _, _): held?.credentials.expiration
        case .holding(let held, _): held.credentials.expiration
        }
    }

    /// Why the last fetch has failed; `nil` if it has not.
    public var failure: String? {
        switch state {
        case .failed(_, let reason, _, _, _), .fetching(_, _, let reason?): reason
        case .untried, .fetching, .renewing, .holding: nil
        }
    }

    /// A request needs credentials. After `fetch`, `useAndFetch` or `refuseAndFetch`, `fetched` or `failed` must follow.
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
            // A time before the failure means that the clock was set back.
            if retryAt.hasCome(by: now) || now.clock < since.clock {
                return begin(held, failures: failures, reason: reason, now: now)
            }
            return Self.live(held, now).map(Action.use) ?? .refuse(reason)
        }
    }

    /// The fetch has returned these credentials. If they have expired already, it counts as failed.
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
        let life = expiration - now.clock
        let ahead = Self.ahead(life)
        let held = Held(credentials: credentials, end: now.when(clock: expiration - min(Self.margin, life / 10)))
        let refreshAt = expiration + (Int64.random(in: 0...ahead / 3, using: &generator) - ahead)
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
        // Other services may accept these credentials.
        case .renewing(let before): held = before
        case .untried, .holding, .failed: break
        }
        let retryAt = now.clock + Self.pause(after: failures, using: &generator)
        state = .failed(
            held, reason: reason, failures: failures, since: now, retryAt: now.when(clock: retryAt))
    }

    /// The answer to a service's refusal of credentials.
    public enum Renewal: Sendable, Equatable {
        /// Begin a fetch; requests wait for it.
        case fetch
        /// There are newer credentials already, or requests wait for a fetch in progress.
        case renewed
        /// There are no better credentials now.
        case declined
    }

    /// A service has refused these credentials. After `fetch`, `fetched` or `failed` must follow.
    ///
    /// A service that refuses all credentials causes at most one fetch every two seconds.
    public mutating func renew(_ refused: AWSCredentials, now: WallInstant) -> Renewal {
        switch state {
        case .renewing:
            return .renewed
        case .fetching(let held, _, nil):
            if held?.credentials == refused { state = .renewing(held) }
            return .renewed
        case .holding(let held, _):
            guard held.credentials == refused else { return .renewed }
            // A time before the last renewal means that the clock was set back.
            guard now >= mayRenewAt || now < renewedAt else { return .declined }
            renewedAt = now
            mayRenewAt = now + Self.renewalPause
            state = .renewing(held)
            return .fetch
        case .fetching, .failed, .untried:
            return .declined
        }
    }

    /// The source of the credentials has changed. The current ones are used until it has been read.
    ///
    /// - Returns: true if a fetch must begin, after which `fetched` or `failed` must follow.
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
        // Expired credentials are of no more use.
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
    /// The time before the expiration in which credentials are not used: a signed request must arrive before the expiration.
    private static let margin: Int64 = 10_000_000_000

    /// The minimum time between two fetches after refusals.
    private static let renewalPause: Int64 = 2_000_000_000

    /// The time before the expiration at which a fetch begins: 15 minutes, or a third of a shorter life. A random part of up to
    /// a third is subtracted, so that gateways that were started together do not fetch together. (The SDKs try from 15 minutes
    /// before the expiration on, and wait for the fetch from 10 minutes on.) A source that returns the same credentials again
    /// is asked again after two thirds of the rest.
    private static func ahead(_ life: Int64) -> Int64 { min(900_000_000_000, life / 3) }

    /// The pause after a number of failures in a row: 0.25 s after the first, doubled each time up to a minute, less a random
    /// part of up to a half.
    private static func pause(after failures: Int, using generator: inout some RandomNumberGenerator) -> Int64 {
        let longest = min(Int64(250_000_000) << min(failures - 1, 8), 60_000_000_000)
        return Int64.random(in: longest / 2...longest, using: &generator)
    }
}
