import Primitives
import TestSupport
import AWSProtocol
import BuiltInCatalogs
import Gateway
import PageCache
import RateLimiter
import Streams
import Synchronization

@testable import OriginClient
@testable import Upstream

let millisecond: Int64 = 1_000_000
let second: Int64 = 1_000_000_000

/// A fetch machine with a gate, without a thread or a socket; the clock is moved by hand.
final class MachineFixture {
    /// What the gate hands out and the upstream takes.
    private final class Port: UpstreamPort, ArrivalReceiver {
        struct Mail: ~Copyable {
            var started = GrantedAttempts()
            var hasQueued = false
            var delivered: [Delivery] = []
        }

        let mail = Mutex(Mail())

        func start(_ attempt: consuming GrantedAttempt) {
            var attempt = Optional(attempt)
            mail.withLock { if let attempt = attempt.take() { $0.started.append(attempt) } }
        }
        func queueGrew() { mail.withLock { $0.hasQueued = true } }
        func deliver(_ deliveries: [Delivery]) { mail.withLock { $0.delivered += deliveries } }

        func take() -> Mail {
            mail.withLock { mail in
                var taken = Mail()
                swap(&taken, &mail)
                return taken
            }
        }
    }

    /// Gives what it is told to give.
    final class Supply: CredentialSupply {
        let answer = Mutex(CredentialAnswer.ready(AWSCredentials(accessKeyID: "A", secretAccessKey: "s")))
        let renews = Mutex(false)

        func credentials(now: WallInstant) -> CredentialAnswer { answer.withLock { $0 } }
        func renew(_ refused: AWSCredentials, now: WallInstant) -> Bool { renews.withLock { $0 } }
    }

    /// An attempt that has no end yet.
    struct Outstanding {
        let id: UInt64
        let endsAt: MonotonicInstant
    }

    static let catalog = try? Catalog(yaml: BuiltInCatalogs.bytes(named: "voice-id") ?? [])
    static let domain = "abcdefghijABCDEFGHIJ12"

    let gate: Gate
    let supply = Supply()
    private let port = Port()
    private var machine: FetchMachine
    /// Whether no fetch is left.
    var isIdle: Bool { machine.isIdle }
    var now: MonotonicInstant = .at(1000 * second)
    let start: MonotonicInstant = .at(1000 * second)
    private var lastWaiter: UInt64 = 0
    private var wakeAt = MonotonicInstant.distantFuture
    private(set) var isHung = false
    /// Why no attempt can be begun; nil if they can.
    var startFault: CurlError?

    /// Attempts on their way, in the order in which they were sent.
    private(set) var outstanding: [Outstanding] = []
    /// Every attempt that was sent, and when.
    private(set) var sent: [(order: OutgoingAttempt, at: MonotonicInstant)] = []
    private(set) var cancelled: [UInt64] = []
    /// How many replies are being passed on.
    private(set) var streams = 0
    private(set) var events: [UpstreamEvent] = []
    private(set) var results: [AttemptClass] = []
    /// What came to each waiter.
    private(set) var arrivals: [UInt64: [Arrival]] = [:]

    /// - Parameters:
    ///   - tokens: what every quota group holds at the start; one comes each `interval`.
    init(
        tokens: Int = 100, interval: Int64 = second, maxWait: Int64 = 5 * second, callTimeout: Int64 = 15 * second,
        attemptTimeout: Int64 = 5 * second, failures: Int = 5, retry: RetryPolicy = RetryPolicy(), seed: UInt64 = 1,
        observer: (any WriteObserver)? = nil, change: (inout Catalog) -> Void = { _ in }
    ) throws {
        guard var catalog = Self.catalog else { throw CatalogError() }
        change(&catalog)
        let quota = Quota(rate: 1e9 / Double(interval), burst: 100_000)
        let service = Service(
            index: 0,
            settings: Service.Settings(
                name: "voice-id", region: "us-east-1", catalog: catalog,
                quotas: catalog.quotaGroups.map { _ in quota }, callTimeout: callTimeout, maxWait: maxWait, maxDepth: 8),
            now: now - interval * Int64(tokens))
        let anybody = CallerSettings(name: "anybody", limit: Limit(Quota(rate: 1000, burst: 1e6)), noCache: true)
        gate = Gate(
            services: [service], cache: PageCache(maxBytes: 1 << 20, maxWaiters: 100, shards: 1), policy: CachePolicy(),
            callers: [anybody], upstream: port, receiver: port, observer: observer)
        let settings = UpstreamSettings(
            url: "http://127.0.0.1:9/", http2: .off, caBundle: nil, proxy: nil, maxConnections: 8,
            connectTimeout: second, attemptTimeout: attemptTimeout, breakerFailures: failures, breakerOpenFor: second,
            signing: SigningSettings(
                scope: SigningScope(region: "us-east-1", service: "voiceid"), supply: supply, authority: "a"))
        machine = FetchMachine(
            gate, [settings], retry, random: SeededGenerator(seed: seed),
            now: now)
    }

    struct CatalogError: Error {}

    /// Forgets what has happened.
    func forget() {
        sent = []
        cancelled = []
        events = []
        results = []
        arrivals = [:]
    }

    // MARK: Clients

    /// A request as a client makes it.
    ///
    /// - Returns: its waiter, if it waits.
    @discardableResult
    func ask(
        _ operation: String = "ListFraudsterRegistrationJobs", more: String = "", noCache: Bool = false,
        isRetry: Bool = false
    ) -> UInt64? {
        ask(read(operation, more), CacheDirectives(noCache: noCache, isRetry: isRetry))
    }

    func read(_ operation: String, _ more: String = "") -> Call {
        let target = Array("VoiceID.\(operation)".utf8)
        let body = Array("{\"DomainId\":\"\(Self.domain)\"\(more)}".utf8)
        return gate.read(target: target.span, scope: [UInt8]().span, body: body.span)
    }

    @discardableResult
    func ask(_ call: Call, _ directives: CacheDirectives = CacheDirectives()) -> UInt64? {
        lastWaiter += 1
        let waiter = Waiter(loop: 0, slot: 0, generation: lastWaiter)
        let verdict = gate.decide(call, directives: directives, waiter: waiter, now: now)
        takeMail()
        guard case .wait = verdict else { return nil }
        return lastWaiter
    }

    func abandon(_ call: Call, waiter: UInt64) {
        gate.abandon(call, waiter: Waiter(loop: 0, slot: 0, generation: waiter), now: now)
        takeMail()
    }

    // MARK: The service

    /// The first attempt on its way ends with this status and error code.
    func reply(_ status: Int, _ code: String? = nil, fields: [(String, String)] = []) {
        guard let id = outstanding.first?.id else { return }
        let body = Array((code.map { "{\"__type\":\"x#\($0)\"}" } ?? "{}").utf8)
        let fields = fields.map { CurlReply.Field(name: $0.0, value: $0.1) }
        end(id, .success(CurlReply(status: status, fields: fields, body: body)))
    }

    /// The reply of the first attempt on its way begins to be passed on. Its time is unlimited from then on.
    ///
    /// - Returns: the other end of its body, and the id of its attempt.
    func begin(fields: [(String, String)] = []) -> (writer: PipeWriter, id: UInt64)? {
        guard let id = outstanding.first?.id else { return nil }
        outstanding.removeAll { $0.id == id }
        let (writer, reader) = BytePipe.make()
        let head = CurlReply(status: 200, fields: fields.map { .init(name: $0.0, value: $0.1) }, body: [])
        handle(.began(BegunReply(id: id, head: head, body: reader)))
        return (writer, id)
    }

    /// The first attempt on its way ends without a reply.
    func fail(_ error: CurlError, lostConnection: UInt64? = nil) {
        guard let id = outstanding.first?.id else { return }
        end(id, .failure(error), lostConnection: lostConnection)
    }

    /// An attempt has ended.
    func end(_ id: UInt64, _ result: Result<CurlReply, CurlError>, lostConnection: UInt64? = nil) {
        outstanding.removeAll { $0.id == id }
        handle(.ended(FinishedAttempt(id: id, result: result, lostConnection: lostConnection)))
    }

    // MARK: Time

    /// Moves the clock, ticks when the machine wants it, and ends attempts whose time is over as the driver does.
    func advance(_ span: Int64) {
        let target = now + span
        while true {
            let attempt = outstanding.min { $0.endsAt < $1.endsAt }
            let next = min(wakeAt, attempt?.endsAt ?? .distantFuture)
            guard next <= target else { break }
            now = max(now, next)
            if let attempt, attempt.endsAt <= now {
                let error = CurlError(rawValue: CurlError.timeout.rawValue, mayHaveSent: true)
                end(attempt.id, .failure(error))
            } else {
                handle(.tick)
            }
        }
        now = target
        handle(.tick)
    }

    /// Moves the clock while the thread does nothing, until `resume`.
    func hang(_ span: Int64) {
        isHung = true
        now += span
    }

    func resume() {
        guard isHung else { return }
        isHung = false
        takeMail()
        advance(0)
    }

    // MARK: The thread

    private var moment: FetchMachine.Moment { FetchMachine.Moment(now: now, wallClock: WallInstant(seconds: 0)) }

    func handle(_ event: consuming FetchMachine.Event) {
        machine.handle(event, at: moment)
        machine.handle(.tick, at: moment)
        carryOut()
        takeMail()
    }

    private func takeMail() {
        if isHung { return }
        var mail = port.take()
        deliver(mail.delivered)
        while let attempt = mail.started.popFirst() {
            machine.handle(.granted(attempt), at: moment)
        }
        if mail.hasQueued { machine.handle(.queueGrew, at: moment) }
        machine.handle(.tick, at: moment)
        carryOut()
    }

    private func carryOut() {
        var place = 0
        // As the thread does: what cannot be begun has ended, which may bring further actions.
        while place < machine.actions.count {
            defer { place += 1 }
            switch machine.actions[place] {
            case .send(let order):
                sent.append((order, now))
                if let startFault {
                    let ended = FinishedAttempt(id: order.fetch.id, result: .failure(startFault))
                    machine.handle(.ended(ended), at: moment)
                    continue
                }
                outstanding.append(Outstanding(id: order.fetch.id, endsAt: now + order.timeout))
            case .cancel(let id):
                cancelled.append(id)
                outstanding.removeAll { $0.id == id }
            case .deliver(let delivery): deliver([delivery])
            // A tick that is due at once comes a moment later, as a thread's would.
            case .wake(let instant): wakeAt = max(instant, now + 1)
            case .report(let event): events.append(event)
            case .count(_, _, let kind, _): results.append(kind)
            case .showBreaker, .span: break
            case .showStreams(let count): streams = count
            }
        }
        machine.actions.removeAll(keepingCapacity: true)
    }

    private func deliver(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            for waiter in delivery.waiters { arrivals[waiter.generation, default: []].append(delivery.arrival) }
        }
    }

    /// Tokens that were taken and not given back, of the group of an operation.
    func tokensTaken(_ group: Int, from tokens: Int, interval: Int64 = second) -> Double {
        let figures = gate.queue.figures(service: 0, group: group, now: now)
        return Double(tokens) + Double(now - start) / Double(interval) - figures.tokens
    }

    /// What came to a waiter, in a word.
    func word(_ waiter: UInt64?) -> String {
        let words = (waiter.flatMap { arrivals[$0] } ?? []).map { arrival in
            switch arrival {
            case .page: "page"
            case .stale: "stale"
            case .reply(let reply): "reply \(reply.status)"
            case .stream(let head, _): "stream \(head.status)"
            case .error(let error): error.scope.map { "throttled \($0)" } ?? error.detail
            }
        }
        return words.joined(separator: ", ")
    }
}
