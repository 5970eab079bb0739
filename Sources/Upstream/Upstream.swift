public import Gateway
internal import Locking
internal import OriginClient
public import Primitives
internal import Synchronization
public import Telemetry
public import Tracing

/// The gateway's way to the services: one thread that owns all connections, and a mailbox to reach it.
///
/// First attempts come in through the mailbox or from the gate's queue; every result goes to `Gate.finish`, on the thread.
public final class Upstream: UpstreamPort {
    fileprivate struct Messages: ~Copyable {
        var started = GrantedAttempts()
        /// True if an attempt has joined the queue of a quota group since the thread last looked.
        var queueGrew = false
        /// True if credentials have come, or are known not to come.
        var credentialsChanged = false
        /// The settings of a reload.
        var change: UpstreamChange?
        /// Called on the thread, which shows that it is alive.
        var pings: [@Sendable () -> Void] = []
        /// When the calls that are left get an error, once a stop has been asked for.
        var stopBy: MonotonicInstant?
    }

    fileprivate struct Mailbox: ~Copyable {
        var messages = Messages()
        /// True if there is a message that the thread has not seen.
        var isNew = false
        var waker: Waker?
        /// True if the thread waits, or is about to, and has to be woken.
        var isAsleep = false
        var hasEnded = false
        /// The tasks that wait for the thread's end.
        var awaiting: [CheckedContinuation<Void, Never>] = []
    }

    fileprivate let mail = Locked(Mailbox())
    fileprivate let settings: [UpstreamSettings]
    fileprivate let retry: RetryPolicy
    fileprivate let metrics: Metrics
    fileprivate let breakerFigures: [Atomic64]
    fileprivate let streamFigure = Atomic64()
    fileprivate let sockets: [SocketCount]
    fileprivate let spans: SpanBuffer?

    fileprivate let wallClock: @Sendable () -> WallInstant
    fileprivate let report: @Sendable (UpstreamEvent) -> Void

    /// - Parameters:
    ///   - settings: one for each of the gate's services, in their order.
    ///   - spans: gets the spans of traces that are recorded.
    ///   - report: called on the upstream's thread, which it must not hold up.
    public init(
        settings: [UpstreamSettings], retry: RetryPolicy, metrics: Metrics, spans: SpanBuffer? = nil,
        wallClock: @escaping @Sendable () -> WallInstant,
        report: @escaping @Sendable (UpstreamEvent) -> Void = { _ in }
    ) {
        self.wallClock = wallClock
        self.report = report
        self.settings = settings
        self.retry = retry
        self.metrics = metrics
        self.spans = spans
        breakerFigures = settings.map { _ in Atomic64() }
        sockets = settings.map { _ in SocketCount() }
    }

    public func start(_ attempt: consuming GrantedAttempt) {
        // A closure may not consume what it captures, but may empty it.
        var attempt = Optional(attempt)
        post { if let attempt = attempt.take() { $0.started.append(attempt) } }
    }

    /// A supply of credentials that had none ready has some, or has given up.
    public func credentialsChanged() { post { $0.credentialsChanged = true } }

    /// Other settings take effect, for what the thread does from now on. Connections, breakers' states and fetches stay.
    public func change(_ change: UpstreamChange) {
        post { messages in
            var change = change
            change.newSupplies.formUnion(messages.change?.newSupplies ?? [])
            messages.change = change
            messages.queueGrew = true
            // Requests that had no credentials may have some now.
            if !change.newSupplies.isEmpty { messages.credentialsChanged = true }
        }
    }

    /// Calls `answer` on the thread, as soon as that has time. It is never called if the thread hangs, or has ended.
    public func ping(_ answer: @escaping @Sendable () -> Void) { post { $0.pings.append(answer) } }

    public func queueGrew() { post { $0.queueGrew = true } }

    // MARK: Mail

    /// Leaves a message, and wakes the thread if it does not look by itself: a wake-up costs two system calls.
    private func post(_ change: (inout Messages) -> Void) {
        mail.withLock { mail -> Waker? in
            change(&mail.messages)
            mail.isNew = true
            guard mail.isAsleep else { return nil }
            mail.isAsleep = false
            return mail.waker
        }?.wake()
    }

    /// Takes what there is to do; what `messages` held is done, and its memory used again.
    fileprivate func takeMail(into messages: inout Messages) {
        mail.withLock { mail in
            mail.isAsleep = false
            mail.isNew = false
            swap(&mail.messages, &messages)
            mail.messages.queueGrew = false
            mail.messages.credentialsChanged = false
            mail.messages.change = nil
            mail.messages.pings.removeAll(keepingCapacity: true)
            mail.messages.stopBy = messages.stopBy
        }
    }

    /// Returns true if the thread may wait; it is woken if something comes meanwhile.
    fileprivate func goesToSleep() -> Bool {
        mail.withLock { mail in
            mail.isAsleep = !mail.isNew
            return mail.isAsleep
        }
    }

    // MARK: Life

    /// Starts the thread; on return it takes fetches.
    ///
    /// - Throws: `UpstreamError` if libcurl or the thread cannot be had.
    public func run(for gate: Gate) async throws {
        try await withCheckedThrowingContinuation { (ready: CheckedContinuation<Void, any Error>) in
            do throws(ThreadError) {
                try spawnThread { [self] in work(for: gate, ready) }
            } catch {
                ready.resume(throwing: UpstreamError(message: "the upstream thread could not be started: \(error)"))
            }
        }
    }

    /// The body of the thread.
    private func work(for gate: Gate, _ ready: CheckedContinuation<Void, any Error>) {
        do throws(CurlError) {
            // Made here, because what libcurl hands out belongs to the thread that asked for it.
            let thread = try UpstreamThread(self, gate)
            ready.resume()
            thread.run()
        } catch {
            ready.resume(throwing: UpstreamError(message: "libcurl cannot be used: \(error)"))
        }
        let awaiting = mail.withLock { mail in
            mail.waker = nil
            mail.hasEnded = true
            defer { mail.awaiting = [] }
            return mail.awaiting
        }
        for task in awaiting { task.resume() }
    }

    /// Asks the thread to end once nothing is left to do.
    ///
    /// - Parameter deadline: the instant after which what is left gets an error.
    public func stop(by deadline: MonotonicInstant) {
        post { $0.stopBy = deadline }
    }

    /// The breaker of each service: 0 closed, 1 half-open, 2 open.
    public var breakerStates: [Int] { breakerFigures.map(\.value) }

    /// The connections to each service, those that are being made included.
    public var openConnections: [Int] { sockets.map(\.value) }

    /// The replies that are being passed on as they come.
    public var openStreams: Int { streamFigure.value }

    /// Returns when the thread has ended.
    public func ended() async {
        await withCheckedContinuation { task in
            let hasEnded = mail.withLock { mail in
                if !mail.hasEnded { mail.awaiting.append(task) }
                return mail.hasEnded
            }
            if hasEnded { task.resume() }
        }
    }
}

// MARK: The thread

/// Hands what comes to the `FetchMachine`, and carries its actions out. Used on the upstream's thread only.
private final class UpstreamThread {
    /// Look at the queues at least this often, in nanoseconds; it bounds what a missed event could cost.
    private static let longestSleep: Int64 = 1_000_000_000

    private let upstream: Upstream
    private var gate: Gate
    private let driver: CurlDriver
    private var settings: [UpstreamSettings]
    private var hosts: [ServiceHosts]
    private var counters: UpstreamCounters
    /// It is kept back for no more than one round of `run`.
    private var deliveries: [Delivery] = []
    private var nextTick: MonotonicInstant = .distantPast

    /// - Throws: `CurlError` if libcurl cannot be used.
    init(_ upstream: Upstream, _ gate: Gate) throws(CurlError) {
        self.upstream = upstream
        self.gate = gate
        settings = upstream.settings
        hosts = Self.hosts(upstream.settings, gate, upstream)
        driver = try CurlDriver(maxConnectionsInAll: upstream.settings.reduce(0) { $0 + max(2, $1.maxConnections) })
        counters = UpstreamCounters(gate, upstream.metrics)
        try driver.lookUpAhead(hosts.map(\.endpoint), now: MonotonicInstant.now)
        let waker = driver.waker
        upstream.mail.withLock { $0.waker = waker }
    }

    private var moment: FetchMachine.Moment {
        FetchMachine.Moment(now: MonotonicInstant.now, wallClock: upstream.wallClock())
    }

    func run() {
        var machine = FetchMachine(gate, upstream.settings, upstream.retry, now: MonotonicInstant.now)
        var messages = Upstream.Messages()
        var finished: [FinishedAttempt] = []
        var nextLook: MonotonicInstant = .distantPast
        while true {
            upstream.takeMail(into: &messages)
            var moment = moment
            if let change = messages.change { use(change, &machine) }
            for answer in messages.pings { answer() }
            if messages.credentialsChanged { machine.handle(.credentialsCame, at: moment) }
            while let attempt = messages.started.popFirst() { machine.handle(.granted(attempt), at: moment) }
            if messages.queueGrew || moment.now >= nextLook {
                machine.handle(.queueGrew, at: moment)
                nextLook = moment.now + Self.longestSleep
            }
            if messages.stopBy != nil { machine.endAhead() }
            machine.handle(.tick, at: moment)
            if let stopBy = messages.stopBy, moment.now >= stopBy { machine.handle(.stop, at: moment) }
            carryOut(&machine)
            if messages.stopBy != nil, machine.isIdle { return }
            let now = MonotonicInstant.now
            let next = min(nextTick, nextLook, messages.stopBy ?? .distantFuture)
            let pause = upstream.goesToSleep() ? max(0, next - now) : 0
            driver.wait(timeout: pause, finished: &finished)
            moment = self.moment
            for reply in driver.begun { machine.handle(.began(reply), at: moment) }
            driver.begun.removeAll(keepingCapacity: true)
            for attempt in finished { end(attempt, &machine, at: moment) }
            finished.removeAll(keepingCapacity: true)
            if let error = driver.localFault {
                driver.localFault = nil
                machine.handle(.localFault(error), at: moment)
            }
            carryOut(&machine)
        }
    }

    private func use(_ change: UpstreamChange, _ machine: inout FetchMachine) {
        (gate, settings) = (change.gate, change.settings)
        // Their connections are found by the endpoints' content, and stay.
        hosts = Self.hosts(settings, gate, upstream)
        machine.change(change)
    }

    private static func hosts(_ settings: [UpstreamSettings], _ gate: Gate, _ upstream: Upstream) -> [ServiceHosts] {
        zip(settings, gate.services).enumerated().map { place, service in
            ServiceHosts(service.0, of: service.1, sockets: upstream.sockets[place])
        }
    }

    /// Hands the end of an attempt to the machine, which reads the reply. If its trace is recorded, so is the time that this takes.
    private func end(_ attempt: FinishedAttempt, _ machine: inout FetchMachine, at moment: FetchMachine.Moment) {
        guard let spans = upstream.spans, let trace = machine.recordedTrace(of: attempt.id) else {
            return machine.handle(.ended(attempt), at: moment)
        }
        let begun = upstream.wallClock()
        let since = MonotonicInstant.now
        machine.handle(.ended(attempt), at: moment)
        var random = SystemRandomNumberGenerator()
        var span = trace.child(
            "parse", id: SpanID(using: &random), start: begun, end: begun + (MonotonicInstant.now - since))
        if case .success(let reply) = attempt.result { span.add("http.response.body.size", Int64(reply.body.count)) }
        spans.append(span)
    }

    private func carryOut(_ machine: inout FetchMachine) {
        var place = 0
        // An attempt that cannot be begun has ended, which may bring further actions.
        while place < machine.actions.count {
            switch machine.actions[place] {
            case .send(let outgoing):
                let fetch = outgoing.fetch
                counters.countWait(service: fetch.service, group: fetch.quotaGroup, outgoing.wait)
                if outgoing.number > 1 { counters.countRetry(service: fetch.service, operation: fetch.operation) }
                do throws(CurlError) {
                    try driver.start(fetch.id, request(outgoing))
                } catch {
                    let finished = FinishedAttempt(id: fetch.id, result: .failure(error))
                    machine.handle(.ended(finished), at: moment)
                }
            case .cancel(let id): driver.cancel(id)
            case .deliver(let delivery): deliveries.append(delivery)
            case .wake(let instant): nextTick = instant
            case .report(let event): upstream.report(event)
            case .count(let service, let operation, let kind, let elapsed):
                counters.count(service: service, operation: operation, kind, elapsed: elapsed)
            case .span(let span): upstream.spans?.append(span)
            case .showStreams(let count): upstream.streamFigure.value = count
            case .showBreaker(let service, let figure):
                counters.countBreaker(service: service, figure: figure)
                upstream.breakerFigures[service].value = figure
            }
            place += 1
        }
        machine.actions.removeAll(keepingCapacity: true)
        guard !deliveries.isEmpty else { return }
        gate.deliver(deliveries)
        deliveries.removeAll(keepingCapacity: true)
    }

    private func request(_ outgoing: OutgoingAttempt) -> AttemptRequest {
        AttemptRequest(
            endpoint: hosts[outgoing.fetch.service].endpoint(for: outgoing.fetch),
            fields: outgoing.fetch.forwarded?.fields ?? [],
            lines: outgoing.lines,
            body: outgoing.fetch.body, timeout: outgoing.timeout,
            maxReplyBytes: settings[outgoing.fetch.service].maxReplyBytes,
            streams: outgoing.fetch.isStream ? UpstreamReply.streams : nil,
            needsFreshConnection: outgoing.needsFreshConnection)
    }
}

/// The upstream's thread could not be started, or libcurl not be used.
public struct UpstreamError: Error, Sendable, CustomStringConvertible {
    public let message: String

    public var description: String { message }
}

/// A number that one thread writes and others read.
final class Atomic64: Sendable {
    private let storage = Atomic<Int>(0)
    var value: Int {
        get { storage.load(ordering: .relaxed) }
        set { storage.store(newValue, ordering: .relaxed) }
    }
}
