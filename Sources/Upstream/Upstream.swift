public import Gateway
internal import Locking
public import OriginClient
public import Primitives
internal import Synchronization
public import Telemetry

/// How a service is reached.
public struct UpstreamSettings: Sendable {
    /// `https://host[:port]/` or `http://…`.
    public var url: String
    public var http2: HTTP2Mode
    /// Path of a PEM file with the authorities to trust instead of the system's.
    public var caBundle: String?
    /// The proxy's URL.
    public var proxy: String?
    public var maxConnections: Int
    /// Nanoseconds for a connection, and for an attempt as a whole.
    public var connectTimeout: Int64
    public var attemptTimeout: Int64
    /// The most bytes that a reply's body may have.
    public var maxReplyBytes: Int
    /// Failures in a row after which the service is left alone, and for how many nanoseconds.
    public var breakerFailures: Int
    public var breakerOpenFor: Int64
    /// How its requests are signed; nil for a service that gets its callers' signatures.
    public var signing: SigningSettings?

    public init(
        url: String, http2: HTTP2Mode, caBundle: String?, proxy: String?, maxConnections: Int, connectTimeout: Int64,
        attemptTimeout: Int64, maxReplyBytes: Int = 16 << 20, breakerFailures: Int, breakerOpenFor: Int64,
        signing: SigningSettings?
    ) {
        self.url = url
        self.http2 = http2
        self.caBundle = caBundle
        self.proxy = proxy
        self.maxConnections = maxConnections
        self.connectTimeout = connectTimeout
        self.attemptTimeout = attemptTimeout
        self.maxReplyBytes = maxReplyBytes
        self.breakerFailures = breakerFailures
        self.breakerOpenFor = breakerOpenFor
        self.signing = signing
    }
}

/// The gateway's way to the services: one thread that owns all connections, and a mailbox to reach it.
///
/// First attempts come in through the mailbox or from the gate's queue; every result goes to `Gate.finish`, on the thread.
public final class Upstream: UpstreamPort {
    /// The pending orders for the thread.
    struct Orders: ~Copyable {
        var started = GrantedAttempts()
        /// Whether something has joined the queue of a quota group since the thread last looked, and whether credentials have
        /// come, or are known not to come.
        var queueGrew = false
        var credentialsChanged = false
        /// When whatever is left gets an error, once a stop has been asked for.
        var stopBy: Int64?
    }

    struct Mail: ~Copyable {
        var orders = Orders()
        /// Whether there is an order that the thread has not seen.
        var isNew = false
        var waker: Waker?
        /// Whether the thread waits, or is about to, and has to be woken.
        var isAsleep = false
        var hasEnded = false
        /// The tasks that wait for the thread's end.
        var awaiting: [CheckedContinuation<Void, Never>] = []
    }

    let mail = Locked(Mail())
    let settings: [UpstreamSettings]
    let retry: RetryPolicy
    let metrics: Metrics
    /// The breakers' states, for the scrape.
    let breakerFigures: [Atomic64]

    let wallClock: @Sendable () -> WallInstant
    let report: @Sendable (UpstreamEvent) -> Void

    /// - Parameters:
    ///   - settings: one for each of the gate's services, in their order.
    ///   - report: called on the upstream's thread, which it must not hold up.
    public init(
        settings: [UpstreamSettings], retry: RetryPolicy, metrics: Metrics,
        wallClock: @escaping @Sendable () -> WallInstant,
        report: @escaping @Sendable (UpstreamEvent) -> Void = { _ in }
    ) {
        self.wallClock = wallClock
        self.report = report
        self.settings = settings
        self.retry = retry
        self.metrics = metrics
        breakerFigures = settings.map { _ in Atomic64() }
    }

    public func start(_ attempt: consuming GrantedAttempt) {
        // A closure may not consume what it captures, but may empty it.
        var attempt = Optional(attempt)
        order { if let attempt = attempt.take() { $0.started.append(attempt) } }
    }

    /// A supply of credentials that had none ready has some, or has given up.
    public func credentialsChanged() { order { $0.credentialsChanged = true } }

    public func queueGrew() { order { $0.queueGrew = true } }

    // MARK: Mail

    /// Leaves an order, and wakes the thread if it does not look by itself: a wake-up costs two system calls.
    private func order(_ change: (inout Orders) -> Void) {
        mail.withLock { mail -> Waker? in
            change(&mail.orders)
            mail.isNew = true
            guard mail.isAsleep else { return nil }
            mail.isAsleep = false
            return mail.waker
        }?.wake()
    }

    /// Takes what there is to do; what `orders` held is done, and its memory used again.
    func takeMail(into orders: inout Orders) {
        mail.withLock { mail in
            mail.isAsleep = false
            mail.isNew = false
            swap(&mail.orders, &orders)
            mail.orders.queueGrew = false
            mail.orders.credentialsChanged = false
            mail.orders.stopBy = orders.stopBy
        }
    }

    /// Whether the thread may wait; it is woken if something comes meanwhile.
    func goesToSleep() -> Bool {
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
            let engine = try Engine(self, gate)
            ready.resume()
            engine.run()
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
    /// - Parameter deadline: monotonic nanoseconds after which what is left gets an error.
    public func stop(by deadline: Int64) {
        order { $0.stopBy = deadline }
    }

    /// The breaker of each service: 0 closed, 1 half-open, 2 open.
    public var breakerStates: [Int] { breakerFigures.map(\.value) }

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
