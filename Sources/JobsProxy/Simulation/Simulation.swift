internal import Gateway
internal import HeapModule
internal import PageCache
internal import RateLimiter

/// Runs a load against the gateway's own decisions (gate, cache, limits) in virtual time: a minute takes moments, and the
/// same seed gives the same figures.
struct Simulation {
    private enum Event {
        /// A caller wants a page, for the so-manieth time.
        case ask(caller: Int, page: Int, attempt: Int)
        /// Its SDK sends the request.
        case send(caller: Int, page: Int, attempt: Int)
        /// A request reaches the service, of the gateway's or straight from a caller.
        case attempt(PendingAttempt)
        case direct(caller: Int, page: Int, attempt: Int)
        /// The service's answer is there.
        case answer(PendingAttempt, isGood: Bool, sentAt: Int64)
        /// A token may have come.
        case release
    }

    private struct Entry: Comparable {
        let time: Int64
        let number: Int
        let event: Event

        static func < (left: Entry, right: Entry) -> Bool { (left.time, left.number) < (right.time, right.number) }
        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    private struct Asked {
        let caller: Int
        let page: Int
        let attempt: Int
    }

    private static let target = Array("VoiceID.ListFraudsterRegistrationJobs".utf8)

    private let load: SimulatedLoad
    private let port = SimulatedPort()
    private let gate: Gate
    private let calls: [Call]
    private let walkCalls: [Call]
    private var service: SimulatedService
    private var events = Heap<Entry>()
    private var lastNumber = 0
    private var now: Int64 = 0
    private var generator: SeededGenerator
    private var retries: [SDKRetries]
    private var waiting: [UInt64: Asked] = [:]
    private var lastWaiter: UInt64 = 0
    private var releaseAt = Int64.max
    private var report: SimulationReport

    /// - Throws: `CommandFailure` if the catalog cannot be read.
    init(_ load: SimulatedLoad) throws(CommandFailure) {
        self.load = load
        service = SimulatedService(load)
        generator = SeededGenerator(seed: load.seed)
        let callers = load.callers + (load.walk > 0 ? 1 : 0)
        retries = (0..<callers).map { _ in SDKRetries(load.retries) }
        report = SimulationReport(load)
        var configuration = load.configuration
        for index in configuration.services.indices where configuration.services[index].quotas["batch"] == nil {
            configuration.services[index].quotas["batch"] = Configuration.Rate(
                rate: load.rate, burst: max(1, Int(load.burst)))
        }
        let cache = PageCache(maxBytes: configuration.cache.maxBytes, maxWaiters: configuration.cache.maxWaiters)
        gate = Gate(
            services: try GatewayAssembly.services(configuration, now: 0), cache: cache,
            policy: CachePolicy(configuration.cache),
            callers: (0..<callers).map { number in
                var settings = CallerSettings(configuration.limits)
                settings.name = "caller-\(number)"
                return settings
            }, domainLimit: configuration.limits.domain.map { Limit($0) }, upstream: port, receiver: port)
        calls = Self.calls(load.pages, "p", gate)
        walkCalls = Self.calls(load.walk, "w", gate)
    }

    private static func calls(_ count: Int, _ prefix: String, _ gate: Gate) -> [Call] {
        let region: [UInt8] = []
        return (0..<count).map { number in
            let digits = "\(number)"
            let domain = prefix + String(repeating: "0", count: 21 - digits.count) + digits
            let body = Array("{\"DomainId\":\"\(domain)\"}".utf8)
            return gate.read(target: Self.target.span, region: region.span, body: body.span)
        }
    }

    // MARK: Running

    consuming func run() -> SimulationReport {
        for caller in 0..<load.callers {
            let phase = Int64.random(in: 0..<load.interval, using: &generator)
            for page in 0..<load.pages {
                at(
                    phase + load.interval * Int64(page) / Int64(load.pages),
                    .ask(caller: caller, page: page, attempt: 1))
            }
        }
        if load.walk > 0 { at(0, .ask(caller: load.callers, page: 0, attempt: 1)) }
        let end = load.warmUp + load.duration
        while let entry = events.popMin(), entry.time < end {
            if now < load.warmUp, entry.time >= load.warmUp { service.forget() }
            now = entry.time
            handle(entry.event)
            takeMail()
        }
        report.upstreamCalls = service.calls
        report.upstreamThrottles = service.throttles
        return report
    }

    private mutating func at(_ time: Int64, _ event: Event) {
        lastNumber += 1
        events.insert(Entry(time: time, number: lastNumber, event: event))
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .ask(let caller, let page, let attempt):
            if attempt == 1, caller < load.callers { at(now + load.interval, event) }
            at(retries[caller].send(now: now), .send(caller: caller, page: page, attempt: attempt))
        case .send(let caller, let page, let attempt):
            if load.isDirect {
                at(now + load.latency / 2, .direct(caller: caller, page: page, attempt: attempt))
            } else {
                ask(Asked(caller: caller, page: page, attempt: attempt))
            }
        case .direct(let caller, let page, let attempt):
            let asked = Asked(caller: caller, page: page, attempt: attempt)
            if service.answers(now: now) { answered(asked, age: 0) } else { throttled(asked, retryAfter: nil) }
        case .attempt(let attempt):
            let isGood = service.answers(now: now)
            at(now + load.latency / 2, .answer(attempt, isGood: isGood, sentAt: now - load.latency / 2))
        case .answer(let attempt, let isGood, let sentAt):
            finish(attempt, isGood: isGood, sentAt: sentAt)
        case .release:
            guard releaseAt == now else { return }
            releaseAt = .max
            release()
        }
    }

    // MARK: Callers

    private mutating func ask(_ asked: Asked) {
        let call = asked.caller < load.callers ? calls[asked.page] : walkCalls[asked.page]
        lastWaiter += 1
        let waiter = Waiter(loop: 0, slot: 0, generation: lastWaiter)
        if let error = gate.charge(caller: asked.caller, target: Self.target.span, now: now) {
            throttled(asked, retryAfter: error.retryAfter)
            return
        }
        switch gate.decide(call, caller: asked.caller, waiter: waiter, now: now) {
        case .page(let page, _): answered(asked, age: now - page.fetchedAt)
        case .refused(let error): throttled(asked, retryAfter: error.retryAfter)
        case .wait: waiting[lastWaiter] = asked
        }
    }

    private mutating func answered(_ asked: Asked, age: Int64) {
        retries[asked.caller].learn(wasThrottled: false, askedPerSecond: asksPerSecond)
        if now >= load.warmUp { report.count(caller: asked.caller, age: age, time: now - load.warmUp) }
        goOn(asked)
    }

    private mutating func throttled(_ asked: Asked, retryAfter: Int64?) {
        retries[asked.caller].learn(wasThrottled: true, askedPerSecond: asksPerSecond)
        if now >= load.warmUp { report.throttles += 1 }
        guard let pause = retries[asked.caller].pause(after: asked.attempt, using: &generator) else {
            if now >= load.warmUp { report.givenUp += 1 }
            goOn(asked)
            return
        }
        // SDKs take the longer of their own wait and the one they are told, within limits.
        let wait = max(pause, min(retryAfter ?? 0, pause + 5_000_000_000))
        at(now + wait, .ask(caller: asked.caller, page: asked.page, attempt: asked.attempt + 1))
    }

    /// Who walks asks for the next page when the last one has come, or not come.
    private mutating func goOn(_ asked: Asked) {
        guard asked.caller == load.callers, asked.page + 1 < load.walk else { return }
        at(now + 1_000_000, .ask(caller: asked.caller, page: asked.page + 1, attempt: 1))
    }

    private var asksPerSecond: Double { Double(load.pages) * 1e9 / Double(load.interval) }

    // MARK: The gateway's upstream

    private mutating func takeMail() {
        let mail = port.take()
        for fetch in mail.started { send(PendingAttempt(fetch: fetch, number: 1)) }
        if mail.hasQueued { release() }
        for delivery in mail.delivered {
            for waiter in delivery.waiters {
                guard let asked = waiting.removeValue(forKey: waiter.generation) else { continue }
                switch delivery.arrival {
                case .page(let page), .stale(let page, _): answered(asked, age: now - page.fetchedAt)
                case .reply: throttled(asked, retryAfter: nil)
                case .error(let error): throttled(asked, retryAfter: error.retryAfter)
                }
            }
        }
    }

    private mutating func send(_ attempt: PendingAttempt) {
        _ = gate.depart(attempt.fetch, number: attempt.number, now: now)
        at(now + load.latency / 2, .attempt(attempt))
    }

    private mutating func release() {
        var granted: [PendingAttempt] = []
        var expired: [PendingAttempt] = []
        var next = Int64.max
        for group in gate.services.flatMap(\.groups) {
            next = min(next, group.release(now: now, granted: &granted, expired: &expired) ?? .max)
        }
        for attempt in granted { send(attempt) }
        for attempt in expired {
            let turn = gate.withdraw(attempt, now: now)
            gate.deliver([
                gate.finish(attempt.fetch, .throttled(.quota, until: turn), attempts: attempt.number - 1, now: now)
            ])
        }
        guard next < releaseAt else { return }
        // Only the earliest counts; those that were meant for later find that it has changed.
        releaseAt = max(next, now + 1)
        at(releaseAt, .release)
    }

    private mutating func finish(_ attempt: PendingAttempt, isGood: Bool, sentAt: Int64) {
        let fetch = attempt.fetch
        if isGood {
            let reply = UpstreamReply(status: 200, body: Array("{\"JobSummaries\":[]}".utf8))
            gate.deliver([gate.finish(fetch, .reply(reply), attempts: attempt.number, sentAt: sentAt, now: now)])
            return
        }
        _ = gate.services[fetch.service].groups[fetch.quotaGroup].throttled(sentAt: sentAt, now: now)
        // Throttles are not retried.
        let reply = UpstreamReply(status: 400, body: Array("{}".utf8), errorCode: "ThrottlingException")
        gate.deliver([gate.finish(fetch, .reply(reply), attempts: attempt.number, sentAt: sentAt, now: now)])
    }
}
