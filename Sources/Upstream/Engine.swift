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

    private var moment: FetchMachine.Moment {
        FetchMachine.Moment(now: CurlClock.now, wallClock: upstream.wallClock())
    }

    func run() {
        var machine = FetchMachine(gate, upstream.settings, upstream.retry, now: CurlClock.now)
        var orders = Upstream.Orders()
        var finished: [FinishedAttempt] = []
        var nextLook: Int64 = 0
        while true {
            upstream.takeMail(into: &orders)
            var moment = moment
            if orders.credentialsChanged { machine.handle(.credentialsCame, at: moment) }
            while let attempt = orders.started.popFirst() { machine.handle(.granted(attempt), at: moment) }
            if orders.queueGrew || moment.now >= nextLook {
                machine.handle(.queueGrew, at: moment)
                nextLook = moment.now + Self.longestSleep
            }
            machine.handle(.tick, at: moment)
            if let stopBy = orders.stopBy, moment.now >= stopBy { machine.handle(.stop, at: moment) }
            carryOut(&machine)
            if orders.stopBy != nil, machine.isIdle { return }
            let now = CurlClock.now
            let next = min(nextTick, nextLook, orders.stopBy ?? .max)
            let pause = upstream.goesToSleep() ? max(0, next - now) : 0
            driver.wait(timeout: pause, finished: &finished)
            moment = self.moment
            for attempt in finished { machine.handle(.ended(attempt), at: moment) }
            finished.removeAll(keepingCapacity: true)
            if let error = driver.localFault {
                driver.localFault = nil
                machine.handle(.localFault(error), at: moment)
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
                    machine.handle(.ended(finished), at: moment)
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
