internal import AWSProtocol
internal import Gateway
internal import HeapModule
internal import OriginClient
internal import PageCache
internal import Primitives
internal import RateLimiter
internal import Upstream

/// Runs a load against the gateway's own decisions (gate, cache, limits, retries, breaker) in virtual time: a minute takes moments, and
/// the same seed gives the same figures.
struct Simulation: ~Copyable {
    private enum Event {
        /// A caller wants a page.
        case ask(Asked)
        case send(Asked)
        /// A request reaches the service: one of the gateway's, by its fetch's id, or one straight from a caller.
        case arrive(UInt64, page: Int?, isInTime: Bool)
        case direct(Asked)
        /// The version of the page is that of the moment at which the request was there.
        case answer(UInt64, version: Int, isGood: Bool)
        /// The gateway waits no longer for an answer.
        case timeout(UInt64)
        case tick
    }

    private struct Entry: Comparable {
        let time: MonotonicInstant
        let number: Int
        let event: Event

        static func < (left: Entry, right: Entry) -> Bool { (left.time, left.number) < (right.time, right.number) }
        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    private struct Asked {
        let caller: Int
        let page: Int
        /// Counts from 1.
        var attempt = 1
    }

    private static let target = Array("VoiceID.ListFraudsterRegistrationJobs".utf8)

    private static let start = MonotonicInstant(nanoseconds: 0)

    private let load: SimulatedLoad
    private let port = SimulatedPort()
    private let gate: Gate
    private var machine: FetchMachine
    private let calls: [Call]
    private let walkCalls: [Call]
    private var service: SimulatedService
    private var events = Heap<Entry>()
    private var lastNumber = 0
    private var now = Self.start
    private var generator: SplitMix64
    private var changing: ChangingPages?
    private let pageNumbers: [[UInt8]: Int]
    private var retries: [SDKRetries]
    private var waiting: [UInt64: Asked] = [:]
    private var lastWaiter: UInt64 = 0
    private var tickAt = MonotonicInstant.distantFuture
    private var report: SimulationReport

    /// - Throws: `CommandFailure` if the catalog cannot be read.
    init(_ load: SimulatedLoad) throws(CommandFailure) {
        self.load = load
        service = SimulatedService(load)
        generator = SplitMix64(seed: load.seed)
        let callers = load.callers + (load.walk > 0 ? 1 : 0)
        retries = (0..<callers).map { _ in SDKRetries(load.retries) }
        report = SimulationReport(load)
        var configuration = load.configuration
        // To be compared, though it is off by default.
        if load.refresh != nil, configuration.cache.refreshAhead == .off {
            configuration.cache.refreshAhead = RefreshSettings()
        }
        switch load.refresh {
        case .ttl: configuration.cache.refreshAhead.share = 0
        case .ahead, nil: break
        case .auto where configuration.cache.ttl.isAdaptive: break
        case .auto: configuration.cache.ttl.operation["*"] = .adaptive(AdaptiveTTL())
        }
        if load.refresh != nil {
            changing = ChangingPages(
                load.pages, exponent: load.exponent, requests: Double(load.callers) * 1e9 / Double(load.interval),
                seed: load.seed &+ 1, now: Self.start)
        } else {
            changing = nil
        }
        report.bounds = changing?.bounds ?? []
        for index in configuration.services.indices where configuration.services[index].quotas["batch"] == nil {
            configuration.services[index].quotas["batch"] = Configuration.Rate(
                rate: load.rate, burst: max(1, Int(load.burst)))
        }
        let cache = PageCache(configuration.cache)
        let gate = Gate(
            services: try GatewayAssembly.services(configuration, epochKey: .known, now: Self.start), cache: cache,
            policy: CachePolicy(configuration.cache),
            callers: (0..<callers).map { number in
                var settings = CallerSettings(configuration.limits)
                settings.name = "caller-\(number)"
                return settings
            }, domainLimit: configuration.limits.domain.map { Limit($0) },
            refreshAhead: configuration.cache.refreshAhead, upstream: port, receiver: port)
        self.gate = gate
        let signing = SigningSettings(
            scope: SigningScope(region: "", service: ""), supply: NoCredentials(), authority: "",
            mayGoUnsigned: true)
        machine = FetchMachine(
            gate,
            configuration.services.map {
                UpstreamSettings($0, configuration.breaker, sandbox: nil, signing: signing)
            }, configuration.retry, random: SplitMix64(seed: ~load.seed), now: Self.start)
        calls = Self.calls(load.pages, "p", gate)
        pageNumbers = Dictionary(
            (0..<load.pages).map { (Self.body($0, "p"), $0) }, uniquingKeysWith: { first, _ in first })
        walkCalls = Self.calls(load.walk, "w", gate)
    }

    private static func calls(_ count: Int, _ prefix: String, _ gate: Gate) -> [Call] {
        let region: [UInt8] = []
        return (0..<count).map { number in
            let body = body(number, prefix)
            return gate.read(target: Self.target.span, scope: region.span, body: body.span)
        }
    }

    /// In the spelling that the gateway sends.
    private static func body(_ number: Int, _ prefix: String) -> [UInt8] {
        let digits = "\(number)"
        let domain = prefix + String(repeating: "0", count: 21 - digits.count) + digits
        return Array("{\"DomainId\":\"\(domain)\"}".utf8)
    }

    // MARK: Running

    consuming func run() -> SimulationReport {
        for caller in 0..<load.callers {
            let phase = Int64.random(in: 0..<load.interval, using: &generator)
            for page in 0..<(changing == nil ? load.pages : 1) {
                at(
                    now + (phase + load.interval * Int64(page) / Int64(load.pages)),
                    .ask(Asked(caller: caller, page: page)))
            }
        }
        if load.walk > 0 { at(now, .ask(Asked(caller: load.callers, page: 0))) }
        let begin = now + load.warmUp
        let end = begin + load.duration
        while let entry = events.popMin(), entry.time < end {
            if now < begin, entry.time >= begin { service.forget() }
            now = entry.time
            handle(entry.event)
            takeMail()
        }
        report.upstreamCalls = service.calls
        report.upstreamThrottles = service.throttles
        return report
    }

    private mutating func at(_ time: MonotonicInstant, _ event: Event) {
        lastNumber += 1
        events.insert(Entry(time: time, number: lastNumber, event: event))
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .ask(let asked):
            if asked.attempt == 1, asked.caller < load.callers { at(now + load.interval, event) }
            var asked = asked
            // Which page, by chance, once for each call.
            if asked.attempt == 1, asked.caller < load.callers, let page = changing?.draw() {
                asked = Asked(caller: asked.caller, page: page)
            }
            at(retries[asked.caller].send(now: now), .send(asked))
        case .send(let asked): if load.isDirect { at(now + load.latency / 2, .direct(asked)) } else { ask(asked) }
        case .direct(let asked):
            if service.answers(now: now) { answered(asked, age: 0, []) } else { throttled(asked, retryAfter: nil) }
        case .arrive(let id, let page, let isInTime):
            let isGood = service.answers(now: now)
            let version = page.flatMap { changing?.version(of: $0, now: now) } ?? 0
            if isInTime { at(now + load.latency / 2, .answer(id, version: version, isGood: isGood)) }
        case .answer(let id, let version, let isGood):
            end(id, .success(isGood ? Self.goodReply(version) : Self.throttle))
        case .timeout(let id): end(id, .failure(Self.timeout))
        case .tick:
            guard tickAt == now else { return }
            tickAt = .distantFuture
            drive(.tick)
        }
    }

    // MARK: Callers

    private mutating func ask(_ asked: Asked) {
        let call = asked.caller < load.callers ? calls[asked.page] : walkCalls[asked.page]
        lastWaiter += 1
        let waiter = Waiter(loop: 0, slot: 0, generation: lastWaiter)
        if let error = gate.charge(caller: CallerID(asked.caller), target: Self.target.span, now: now) {
            throttled(asked, retryAfter: error.retryAfter)
            return
        }
        switch gate.decide(call, caller: CallerID(asked.caller), waiter: waiter, now: now) {
        case .page(let page, _): answered(asked, age: now - page.fetchedAt, page.body)
        case .refused(let error): throttled(asked, retryAfter: error.retryAfter)
        case .wait: waiting[lastWaiter] = asked
        }
    }

    /// - Parameter body: that of the page, if it is one.
    private mutating func answered(_ asked: Asked, age: Int64, _ body: [UInt8]) {
        retries[asked.caller].learn(wasThrottled: false, askedPerSecond: asksPerSecond)
        if isCounted {
            let isCurrent =
                asked.caller < load.callers ? changing?.version(of: asked.page, now: now) == Self.version(body) : false
            report.count(
                caller: asked.caller, age: age, isCurrent: isCurrent, time: now - Self.start - load.warmUp)
        }
        goOn(asked)
    }

    private mutating func throttled(_ asked: Asked, retryAfter: Int64?) {
        retries[asked.caller].learn(wasThrottled: true, askedPerSecond: asksPerSecond)
        if isCounted { report.throttles += 1 }
        guard let pause = retries[asked.caller].pause(after: asked.attempt, using: &generator) else {
            if isCounted { report.givenUp += 1 }
            goOn(asked)
            return
        }
        // SDKs take the longer of their own wait and the one they are told, within limits.
        let wait = max(pause, min(retryAfter ?? 0, pause + 5_000_000_000))
        at(now + wait, .ask(Asked(caller: asked.caller, page: asked.page, attempt: asked.attempt + 1)))
    }

    /// The caller that walks asks for the next page when the last one has come or failed.
    private mutating func goOn(_ asked: Asked) {
        guard asked.caller == load.callers, asked.page + 1 < load.walk else { return }
        at(now + 1_000_000, .ask(Asked(caller: asked.caller, page: asked.page + 1)))
    }

    private var isCounted: Bool { now >= Self.start + load.warmUp }
    private var asksPerSecond: Double { Double(load.pages) * 1e9 / Double(load.interval) }

    // MARK: The gateway's upstream

    private mutating func takeMail() {
        var mail = port.take()
        while let attempt = mail.started.popFirst() { drive(.granted(attempt)) }
        if mail.hasQueued { drive(.queueGrew) }
        // Fetches that are refused at once, by an open breaker for instance, have been delivered meanwhile.
        for delivery in mail.delivered + port.takeDelivered() {
            for waiter in delivery.waiters {
                guard let asked = waiting.removeValue(forKey: waiter.generation) else { continue }
                switch delivery.arrival {
                case .page(let page), .stale(let page, _): answered(asked, age: now - page.fetchedAt, page.body)
                case .reply, .stream: throttled(asked, retryAfter: nil)
                case .error(let error): throttled(asked, retryAfter: error.retryAfter)
                }
            }
        }
    }

    private mutating func end(_ id: UInt64, _ result: Result<CurlReply, CurlError>) {
        drive(.ended(FinishedAttempt(id: id, result: result)))
    }

    private mutating func drive(_ event: consuming FetchMachine.Event) {
        // Nothing is signed.
        let moment = FetchMachine.Moment(now: now, wallClock: WallInstant(seconds: 0))
        machine.handle(event, at: moment)
        machine.handle(.tick, at: moment)
        let actions = machine.actions
        machine.actions.removeAll()
        for action in actions { carryOut(action) }
    }

    private mutating func carryOut(_ action: FetchMachine.Action) {
        switch action {
        case .send(let outgoing):
            let (id, isInTime) = (outgoing.fetch.id, load.latency <= outgoing.timeout)
            at(now + load.latency / 2, .arrive(id, page: pageNumbers[outgoing.fetch.body], isInTime: isInTime))
            if !isInTime { at(now + outgoing.timeout, .timeout(id)) }
        case .deliver(let delivery): gate.deliver([delivery])
        case .wake(let instant):
            guard instant < tickAt else { return }
            // Only the earliest counts; those that were meant for later find that it has changed.
            tickAt = max(instant, now + 1)
            at(tickAt, .tick)
        case .cancel, .report, .count, .showBreaker, .showStreams, .span: break
        }
    }

    private static func goodReply(_ version: Int) -> CurlReply {
        CurlReply(status: 200, body: Array("{\"JobSummaries\":[],\"Version\":\(version)}".utf8))
    }

    /// The version in a good reply's body.
    private static func version(_ body: [UInt8]) -> Int {
        body.reduce(0) { number, byte in byte.isDigit ? number &* 10 &+ Int(byte - UInt8(ascii: "0")) : number }
    }

    private static let throttle = CurlReply(status: 400, body: Array("{\"__type\":\"ThrottlingException\"}".utf8))
    private static let timeout = CurlError(rawValue: CurlError.timeout.rawValue, mayHaveSent: true)
}
