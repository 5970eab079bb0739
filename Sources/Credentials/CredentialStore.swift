public import AWSProtocol
internal import Locking
internal import OriginClient
public import Primitives

/// Credentials of a source, refreshed ahead of their expiration.
///
/// It is asked for each request and never blocks its caller: each fetch runs on a thread of its own, one at a time, when
/// `CredentialRefresh` decides. The source's files are checked every second while requests come.
public final class CredentialStore: CredentialSupply, Redacted {
    struct State: ~Copyable {
        var refresh = CredentialRefresh()
        var listeners: [@Sendable () -> Void] = []
        var reports: [@Sendable (CredentialChange) -> Void] = []
        var fetches = FetchCounts()
        /// The failures since the last success, the time of the first of them, and what the last one said.
        var failures = 0
        var failingSince: WallInstant?
        var lastFault: String?

        /// A fetch has ended.
        ///
        /// - Parameter fault: nil if it has brought credentials.
        /// - Returns: the change that an operator wants to know of; nil if it is as it was.
        mutating func note(_ fault: String?, now: WallInstant) -> CredentialChange? {
            guard let fault else {
                fetches.ok += 1
                defer { (failures, failingSince, lastFault) = (0, nil, nil) }
                return failingSince.map { .recovered(failures: failures, since: $0) }
            }
            fetches.failed += 1
            failures += 1
            failingSince = failingSince ?? now
            guard fault != lastFault else { return nil }
            lastFault = fault
            return .failing(reason: fault, credentialsEnd: refresh.expiration)
        }
        /// The state of the source's files when they were last read.
        var stamps: [FileStamp] = []
        /// The time of the last check of the files.
        var lookedAt = WallInstant(nanoseconds: 0)
        /// True while a check is in progress.
        var isLooking = false

        mutating func beginsLook(now: WallInstant) -> Bool {
            // A time before the last check means that the clock was set back.
            guard !isLooking, !refresh.isFetching, now < lookedAt || now - lookedAt >= CredentialStore.lookPause
            else { return false }
            lookedAt = now
            isLooking = true
            return true
        }

        /// The earliest time of the next fetch for changed files. The pause doubles, because a fetch may itself change the files.
        private var nextFileFetch = MonotonicInstant.distantPast
        private var fileFetchPause = CredentialStore.lookPause
        private static let longestFileFetchPause: Int64 = 60_000_000_000

        mutating func mayFetchForFiles(now: MonotonicInstant) -> Bool {
            guard now >= nextFileFetch else { return false }
            let isSoon = now - nextFileFetch < fileFetchPause
            fileFetchPause = isSoon ? min(2 * fileFetchPause, Self.longestFileFetchPause) : CredentialStore.lookPause
            nextFileFetch = now + fileFetchPause
            return true
        }
    }

    /// The time between two checks of the source's files.
    private static let lookPause: Int64 = 1_000_000_000

    // Not private: a test fetches on its own thread.
    let state = Locked(State())
    private let source: any CredentialSource
    let clock: @Sendable () -> WallInstant
    let uptime: @Sendable () -> MonotonicInstant

    init(
        _ source: any CredentialSource, clock: @escaping @Sendable () -> WallInstant,
        uptime: @escaping @Sendable () -> MonotonicInstant
    ) {
        self.source = source
        self.clock = clock
        self.uptime = uptime
    }

    /// A store with the SDKs' default sources: the environment, the shared files, the container's or the instance's service.
    ///
    /// - Parameter region: the Region in which roles are assumed, such as `us-east-1`.
    public convenience init(region: String, environment: CredentialEnvironment) {
        self.init(
            DefaultChain(environment: environment, region: region), clock: environment.clock,
            uptime: environment.uptime)
    }

    /// True while a fetch is in progress.
    public var isFetching: Bool { state.withLock { $0.refresh.isFetching } }

    /// Registers a listener for the end of each fetch, successful or not. It is called without a lock, on the fetch's thread, or on
    /// the caller's thread if that could not be started.
    public func onChange(_ listener: @escaping @Sendable () -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// Registers a receiver of changes, called as `onChange`'s listeners are.
    public func onReport(_ report: @escaping @Sendable (CredentialChange) -> Void) {
        state.withLock { $0.reports.append(report) }
    }

    /// When the credentials that are held end to be valid; `nil` for permanent ones, and without any.
    public var expiration: WallInstant? { state.withLock { $0.refresh.expiration } }

    /// The fetches that have ended.
    public var fetches: FetchCounts { state.withLock { $0.fetches } }

    /// The credentials to sign with now. Begins a fetch if one is due, so that a call at the start, or by a readiness check,
    /// fetches credentials before they are needed.
    public func credentials(now: WallInstant) -> CredentialAnswer {
        let moment = CredentialRefresh.Moment(clock: now, uptime: uptime())
        let (action, looks) = state.withLock { ($0.refresh.request(now: moment), $0.beginsLook(now: now)) }
        if looks { lookAtFiles() }
        switch action {
        case .use(let credentials): return .ready(credentials)
        case .useAndFetch(let credentials):
            _ = startFetch()
            return .ready(credentials)
        case .fetch: return startFetch().map(CredentialAnswer.unavailable) ?? .pending
        case .wait: return .pending
        case .refuse(let reason): return .unavailable(reason)
        case .refuseAndFetch(let reason):
            _ = startFetch()
            return .unavailable(reason)
        }
    }

    public func renew(_ refused: AWSCredentials, now: WallInstant) -> Bool {
        switch state.withLock({ $0.refresh.renew(refused, now: now) }) {
        case .fetch: startFetch() == nil
        case .renewed: true
        case .declined: false
        }
    }

    /// Checks the source's files on a thread of its own, and fetches if they have changed.
    private func lookAtFiles() {
        let look: @Sendable () -> Void = { [self] in
            let (stamps, now) = (source.stamps(), uptime())
            let mustFetch = state.withLock { state in
                state.isLooking = false
                return stamps != state.stamps && state.mayFetchForFiles(now: now) && state.refresh.sourceChanged()
            }
            if mustFetch { fetch() }
        }
        do throws(ThreadError) {
            try spawnThread(look)
        } catch {
            state.withLock { $0.isLooking = false }
        }
    }

    /// - Returns: the reason why it could not be started, else `nil`.
    private func startFetch() -> String? {
        do throws(ThreadError) {
            try spawnThread { [self] in fetch() }
            return nil
        } catch {
            let reason = "the thread to fetch credentials on could not be started: \(error)"
            end(.failure(.failed(reason)))
            return reason
        }
    }

    func fetch() {
        // Before the files are read, so that a later change is noticed.
        let stamps = source.stamps()
        state.withLock { $0.stamps = stamps }
        end(Result { () throws(CredentialFault) in try source.fetch() })
    }

    /// Reports the result of a fetch to the state machine, then calls the listeners.
    private func end(_ result: Result<AWSCredentials, CredentialFault>) {
        let now = CredentialRefresh.Moment(clock: clock(), uptime: uptime())
        let change = state.withLock { state in
            var generator = SystemRandomNumberGenerator()
            switch result {
            case .success(let credentials):
                state.refresh.fetched(credentials, now: now, using: &generator)
                return state.note(state.refresh.failure, now: now.clock)
            case .failure(let fault):
                state.refresh.failed(fault.message, now: now, using: &generator)
                return state.note(fault.message, now: now.clock)
            }
        }
        if let change { for report in state.withLock({ $0.reports }) { report(change) } }
        for listener in state.withLock({ $0.listeners }) { listener() }
    }
}

/// The fetches of credentials that have ended, by their result.
public struct FetchCounts: Sendable, Equatable {
    public var ok: UInt64 = 0
    public var failed: UInt64 = 0

    public init(ok: UInt64 = 0, failed: UInt64 = 0) { (self.ok, self.failed) = (ok, failed) }
}

/// A change of a store's fetches that an operator wants to know of.
public enum CredentialChange: Sendable, Equatable {
    /// A fetch has failed after one that had not, or for another reason than the one before; a sentence without secrets says why. The
    /// credentials that are held end to be valid at an instant: `nil` for permanent ones, and without any.
    case failing(reason: String, credentialsEnd: WallInstant?)
    /// A fetch has brought credentials after so many failures, the first of them at an instant.
    case recovered(failures: Int, since: WallInstant)
}
