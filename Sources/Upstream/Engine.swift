internal import Gateway
internal import Locking
internal import OriginClient

/// The upstream's thread: hands what comes to the `FetchMachine`, and carries its actions out. Used on that thread only.
final class Engine {
    /// Look at the queues at least this often, in nanoseconds; it bounds what a missed event could cost.
    private static let longestSleep: Int64 = 1_000_000_000

    private let upstream: Upstream
    private let gate: Gate
    private let driver: CurlDriver
    private let endpoints: [Endpoint]
    private let counters: UpstreamCounters
    /// It is kept back for no more than one round of `run`.
    private var deliveries: [Delivery] = []
    /// When the machine wants its next tick.
    private var nextTick: Int64 = 0

    /// - Throws: `CurlError` if libcurl cannot be used.
    init(_ upstream: Upstream, _ gate: Gate) throws(CurlError) {
        self.upstream = upstream
        self.gate = gate
        endpoints = upstream.settings.map(Endpoint.init)
        driver = try CurlDriver(maxConnectionsInAll: upstream.settings.reduce(0) { $0 + $1.maxConnections })
        counters = UpstreamCounters(gate, upstream.metrics)
        try driver.lookUpAhead(endpoints, now: CurlClock.now)
        let waker = driver.waker
        upstream.mail.withLock { $0.waker = waker }
    }

    func run() {
        var machine = FetchMachine(
            gate, upstream.settings, upstream.retry, wallClock: upstream.wallClock, now: CurlClock.now)
        var orders = Upstream.Orders()
        var finished: [FinishedAttempt] = []
        var nextLook: Int64 = 0
        while true {
            upstream.takeMail(into: &orders)
            var now = CurlClock.now
            if orders.credentialsChanged { machine.handle(.credentialsCame, now: now) }
            while let attempt = orders.started.popFirst() { machine.handle(.granted(attempt), now: now) }
            if orders.queueGrew || now >= nextLook {
                machine.handle(.queueGrew, now: now)
                nextLook = now + Self.longestSleep
            }
            machine.handle(.tick, now: now)
            if let stopBy = orders.stopBy, now >= stopBy { machine.handle(.stop, now: now) }
            carryOut(&machine)
            if orders.stopBy != nil, machine.isIdle { return }
            now = CurlClock.now
            let next = min(nextTick, nextLook, orders.stopBy ?? .max)
            let pause = upstream.goesToSleep() ? max(0, next - now) : 0
            driver.wait(timeout: pause, finished: &finished)
            now = CurlClock.now
            for attempt in finished { machine.handle(.ended(attempt), now: now) }
            finished.removeAll(keepingCapacity: true)
            if let error = driver.localFault {
                driver.localFault = nil
                machine.handle(.localFault(error), now: now)
            }
            carryOut(&machine)
        }
    }

    private func carryOut(_ machine: inout FetchMachine) {
        var place = 0
        // An attempt that cannot be begun has ended, which may bring further actions.
        while place < machine.actions.count {
            switch machine.actions[place] {
            case .send(let order):
                let fetch = order.fetch
                if order.number > 1 { counters.countRetry(service: fetch.service, operation: fetch.operation) }
                do throws(CurlError) {
                    try driver.start(fetch.id, request(order))
                } catch {
                    let finished = FinishedAttempt(id: fetch.id, result: .failure(error))
                    machine.handle(.ended(finished), now: CurlClock.now)
                }
            case .cancel(let id): driver.cancel(id)
            case .deliver(let delivery): deliveries.append(delivery)
            case .wake(let instant): nextTick = instant
            case .report(let event): upstream.report(event)
            case .count(let service, let operation, let kind, let elapsed):
                counters.count(service: service, operation: operation, kind, elapsed: elapsed)
            case .showBreaker(let service, let figure): upstream.breakerFigures[service].value = figure
            }
            place += 1
        }
        machine.actions.removeAll(keepingCapacity: true)
        guard !deliveries.isEmpty else { return }
        gate.deliver(deliveries)
        deliveries.removeAll(keepingCapacity: true)
    }

    private func request(_ order: FetchMachine.SendOrder) -> AttemptRequest {
        AttemptRequest(
            endpoint: endpoints[order.fetch.service], fields: order.fetch.forwarded?.fields ?? [], lines: order.lines,
            body: order.fetch.body, timeout: order.timeout,
            maxReplyBytes: upstream.settings[order.fetch.service].maxReplyBytes,
            needsFreshConnection: order.needsFreshConnection)
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
