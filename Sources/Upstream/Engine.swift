internal import Gateway
internal import Locking
internal import OriginClient
internal import RateLimiter

/// What the upstream thread does: sends attempts, sorts their results, retries, and reports. Used on that thread only.
final class Engine {
    /// A fetch that has had its first token. A class, because it changes where it is.
    final class Call {
        let fetch: Fetch
        /// What it asks, for the breaker.
        let input: AttemptInput
        /// Attempts that were sent.
        var attempts = 0
        var sentAt: Int64
        /// How far from our clock the time is that the attempt was signed for, in seconds.
        var signedOffset: Int64 = 0
        /// Which of its signer's credentials it was signed with, and whether these were fetched anew for it.
        var signedGeneration = 0
        var hasRenewed = false
        /// Whether the attempt has less time than the service is given.
        var isCutShort = false
        /// Whether the attempt is its breaker's probe.
        var isProbe = false
        var last: AttemptResult?

        init(_ fetch: Fetch, now: Int64) {
            self.fetch = fetch
            input = AttemptInput(fetch)
            sentAt = now
        }

        var isForPage: Bool { if case .flight = fetch.purpose { true } else { false } }
    }

    /// A pause before another attempt.
    struct Pause {
        let until: Int64
        let call: UInt64
    }

    /// Wake up at least this often, in nanoseconds; it bounds what a missed event could cost.
    static let longestSleep: Int64 = 1_000_000_000
    static let maxReplyBytes = 8 * 1024 * 1024

    let upstream: Upstream
    let gate: Gate
    let driver: CurlDriver
    let endpoints: [Endpoint]
    let counters: UpstreamCounters
    var random = SystemRandomNumberGenerator()

    // One for each service.
    var breakers: [Breaker]
    var budgets: [RetryBudget]
    /// Of all services: each connection has a number of its own.
    var lostConnections = LostConnections()
    /// What this machine lacked, and when that was last said.
    var localFaults: [Int32: Int64] = [:]
    /// Nothing for services that get their callers' signatures.
    var signers: [ServiceSigner?]

    var calls: [UInt64: Call] = [:]
    /// What came of calls and has not been delivered. It is kept back for no more than one round of `run`.
    var deliveries: [Delivery] = []
    var pauses: [Pause] = []
    /// When the next pause ends; `.max` if there is none.
    var nextPause = Int64.max
    /// When to look at the queues of the quota groups again.
    var nextRelease: Int64 = 0
    /// Calls that wait for credentials, in the order of their coming.
    var parked: [Call] = []
    /// When the time of one of them is over; `.max` if there is none.
    var nextParkedEnd = Int64.max
    /// The services that lack credentials, so that it is said once.
    var unsigned: Set<Int> = []
    /// The quota groups that use less than their quota, because the service has throttled.
    var slowed: Set<GroupPlace> = []

    init(_ upstream: Upstream, _ gate: Gate) throws(CurlError) {
        self.upstream = upstream
        self.gate = gate
        endpoints = upstream.settings.map(Endpoint.init)
        driver = try CurlDriver(maxConnectionsInAll: upstream.settings.reduce(0) { $0 + $1.maxConnections })
        counters = UpstreamCounters(gate, upstream.metrics)
        try driver.lookUpAhead(endpoints, now: CurlClock.now)
        breakers = upstream.settings.map {
            Breaker(Breaker.Policy(failures: $0.breakerFailures, openFor: $0.breakerOpenFor))
        }
        budgets = upstream.settings.map { _ in RetryBudget(upstream.retry, now: CurlClock.now) }
        signers = upstream.settings.map { $0.signing.map(ServiceSigner.init) }
        let waker = driver.waker
        upstream.mail.withLock { $0.waker = waker }
    }

    private func deliver() {
        guard !deliveries.isEmpty else { return }
        gate.deliver(deliveries)
        deliveries.removeAll(keepingCapacity: true)
    }

    func run() {
        var orders = Upstream.Orders()
        var finished: [FinishedAttempt] = []
        while true {
            upstream.takeMail(into: &orders)
            var now = CurlClock.now
            if orders.credentialsChanged { unpark(now: now) }
            if now >= nextParkedEnd { endParked(now: now) }
            for fetch in orders.started { send(begin(fetch, now: now), now: now) }
            if now >= nextPause { endPauses(now: now) }
            if orders.queueGrew || now >= nextRelease { releaseQueues(now: now) }
            if let stopBy = orders.stopBy {
                if now >= stopBy { abandonAll(now: now) }
                deliver()
                if calls.isEmpty, gate.services.allSatisfy({ $0.groups.allSatisfy { $0.depth == 0 } }) { return }
            }
            deliver()
            now = CurlClock.now
            let next = min(nextPause, nextRelease, nextParkedEnd, orders.stopBy ?? .max)
            let pause = upstream.goesToSleep() ? min(max(0, next - now), Self.longestSleep) : 0
            driver.wait(timeout: pause, finished: &finished)
            now = CurlClock.now
            for attempt in finished { settle(attempt, now: now) }
            noteDriverFault(now: now)
            finished.removeAll(keepingCapacity: true)
            deliver()
        }
    }
}

extension Endpoint {
    convenience init(_ settings: UpstreamSettings) {
        self.init(
            url: settings.url, http2: settings.http2, caBundle: settings.caBundle, proxy: settings.proxy,
            maxConnections: settings.maxConnections, connectTimeout: settings.connectTimeout,
            keptFields: UpstreamReply.keptFields)
    }
}
