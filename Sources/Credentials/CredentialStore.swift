public import AWSProtocol
internal import Locking
internal import OriginClient

/// Credentials that are kept fresh.
///
/// It is asked for each request and never blocks whoever asks: a fetch runs on a thread of its own, one at a time.
/// `CredentialRefresh` says when. Its source's files are looked at every second while credentials are asked for.
public final class CredentialStore: CredentialSupply, Discreet {
    private struct State: ~Copyable {
        var refresh = CredentialRefresh()
        var listeners: [@Sendable () -> Void] = []
        /// The source's files when they were read last.
        var stamps: [FileStamp] = []
        /// When they were looked at last, by the wall clock, and whether that is still under way.
        var lookedAt: Int64 = 0
        var isLooking = false

        /// Whether to look at the files now.
        mutating func beginsLook(now: Int64) -> Bool {
            let (elapsed, overflow) = now.subtractingReportingOverflow(lookedAt)
            // Before the last look it is only for a clock that was set back.
            guard !isLooking, !refresh.isFetching, overflow || elapsed < 0 || elapsed >= CredentialStore.lookPause
            else { return false }
            lookedAt = now
            isLooking = true
            return true
        }

        /// When files that have changed may be read anew, and how long after that again: a fetch may itself change them.
        private var nextFileFetch = Int64.min
        private var fileFetchPause = CredentialStore.lookPause
        private static let longestFileFetchPause: Int64 = 60_000_000_000

        mutating func mayFetchForFiles(now: Int64) -> Bool {
            guard now >= nextFileFetch else { return false }
            let isSoon = nextFileFetch != .min && now &- nextFileFetch < fileFetchPause
            fileFetchPause = isSoon ? min(2 * fileFetchPause, Self.longestFileFetchPause) : CredentialStore.lookPause
            nextFileFetch = now.addingReportingOverflow(fileFetchPause).partialValue
            return true
        }
    }

    /// A second between two looks at the source's files.
    private static let lookPause: Int64 = 1_000_000_000

    private let state = Locked(State())
    private let source: any CredentialSource
    private let clock: @Sendable () -> Int64
    private let uptime: @Sendable () -> Int64

    /// - Parameter uptime: a clock that nobody sets; `clock` itself where there is none.
    init(
        _ source: any CredentialSource, clock: @escaping @Sendable () -> Int64,
        uptime: (@Sendable () -> Int64)? = nil
    ) {
        self.source = source
        self.clock = clock
        self.uptime = uptime ?? clock
    }

    /// Looks where the SDKs look: in the environment, in the shared files, at the container's or the instance's service.
    ///
    /// - Parameter region: where roles are taken on, such as `us-east-1`.
    public convenience init(region: String, surroundings: Surroundings) {
        self.init(
            DefaultChain(surroundings: surroundings, region: region), clock: surroundings.clock,
            uptime: surroundings.uptime)
    }

    /// Whether a fetch is under way.
    public var isFetching: Bool { state.withLock { $0.refresh.isFetching } }

    /// Has `listener` called whenever a fetch has ended, one way or the other: under no lock, as a rule on the fetch's
    /// thread, on the caller's if that could not be started.
    public func onChange(_ listener: @escaping @Sendable () -> Void) {
        state.withLock { $0.listeners.append(listener) }
    }

    /// What may be signed with now; it begins a fetch if one is due. Asked at the start, or by a readiness check, it sees to
    /// it that there are credentials by the time they are needed.
    ///
    /// - Parameter now: nanoseconds since 1970-01-01T00:00:00Z.
    public func credentials(now: Int64) -> CredentialAnswer {
        let moment = CredentialRefresh.Moment(clock: now, uptime: uptime())
        let (action, looks) = state.withLock { ($0.refresh.request(now: moment), $0.beginsLook(now: now)) }
        if looks { lookAtFiles() }
        switch action {
        case .use(let credentials):
            return .ready(credentials)
        case .useAndFetch(let credentials):
            _ = startFetch()
            return .ready(credentials)
        case .fetch:
            return startFetch().map(CredentialAnswer.unavailable) ?? .pending
        case .wait:
            return .pending
        case .refuse(let reason):
            return .unavailable(reason)
        case .refuseAndFetch(let reason):
            _ = startFetch()
            return .unavailable(reason)
        }
    }

    public func renew(_ refused: AWSCredentials, now: Int64) -> Bool {
        switch state.withLock({ $0.refresh.renew(refused, now: now) }) {
        case .fetch: startFetch() == nil
        case .renewed: true
        case .declined: false
        }
    }

    /// Looks, on a thread of its own, whether the source's files have changed, and fetches anew if so.
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

    /// The same as `credentials`, but a fetch that is due runs here and is waited for, as long as the source may take (half a minute for a
    /// process). Pending means that one was under way already.
    public func credentialsAfterFetch(now: Int64) -> CredentialAnswer {
        let moment = CredentialRefresh.Moment(clock: now, uptime: uptime())
        let action = state.withLock { $0.refresh.request(now: moment) }
        switch action {
        case .fetch, .useAndFetch, .refuseAndFetch:
            fetch()
            return credentials(now: clock())
        case .use(let credentials):
            return .ready(credentials)
        case .wait:
            return .pending
        case .refuse(let reason):
            return .unavailable(reason)
        }
    }

    /// - Returns: why it could not be started.
    private func startFetch() -> String? {
        do throws(ThreadError) {
            try spawnThread { [self] in fetch() }
            return nil
        } catch {
            let reason = "the thread to fetch credentials on could not be started: \(error)"
            end { refresh, now, generator in refresh.failed(reason, now: now, using: &generator) }
            return reason
        }
    }

    private func fetch() {
        // Before they are read: what is changed meanwhile is read again.
        let stamps = source.stamps()
        state.withLock { $0.stamps = stamps }
        do throws(CredentialFault) {
            let credentials = try source.fetch()
            end { refresh, now, generator in refresh.fetched(credentials, now: now, using: &generator) }
        } catch {
            let reason = error.message
            end { refresh, now, generator in refresh.failed(reason, now: now, using: &generator) }
        }
    }

    /// Tells the state machine how the fetch has ended, and then whoever waits for that.
    private func end(
        _ body: (inout CredentialRefresh, CredentialRefresh.Moment, inout SystemRandomNumberGenerator) -> Void
    ) {
        let now = CredentialRefresh.Moment(clock: clock(), uptime: uptime())
        state.withLock { state in
            var generator = SystemRandomNumberGenerator()
            body(&state.refresh, now, &generator)
        }
        for listener in state.withLock({ $0.listeners }) { listener() }
    }
}
