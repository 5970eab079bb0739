import AWSProtocol
import BuiltInCatalogs
import Dispatch
import Foundation
import Locking
import NIOCore
import PageCache
import Primitives
import RateLimiter
import Redis
import Telemetry
import TestSupport
import Testing

@testable import Cluster
@testable import Gateway

let second: Int64 = 1_000_000_000

/// The service behind all members: the listing of a domain is the number of writes to it so far.
final class SharedService: Sendable {
    struct State {
        var writes: [String: Int] = [:]
        var arrivals: [MonotonicInstant] = []
        var lists = 0
        /// Attempts that are not answered before `release`.
        var isHeld = false
        var held: [@Sendable () -> Void] = []
    }

    let state = Locked(State())

    func answer(_ fetch: Fetch, _ reply: @escaping @Sendable (FetchResult) -> Void) {
        let domain = String(decoding: fetch.domain, as: UTF8.self)
        let isWrite = fetch.safety != .read
        let body = state.withLock { state -> String in
            state.arrivals.append(.now)
            if isWrite { state.writes[domain, default: 0] += 1 } else { state.lists += 1 }
            return "{\"JobSummaries\":[],\"Writes\":\(state.writes[domain] ?? 0)}"
        }
        let answer: @Sendable () -> Void = { reply(.reply(UpstreamReply(status: 200, body: Array(body.utf8)))) }
        let isHeld = state.withLock { state in
            if state.isHeld { state.held.append(answer) }
            return state.isHeld
        }
        if !isHeld { answer() }
    }

    func hold() { state.withLock { $0.isHeld = true } }

    func release() {
        let held = state.withLock { state in
            defer { (state.isHeld, state.held) = (false, []) }
            return state.held
        }
        for answer in held { answer() }
    }

    var lists: Int { state.withLock { $0.lists } }
    var arrivals: [MonotonicInstant] { state.withLock { $0.arrivals } }
}

/// Sends attempts to the service, and releases queues in time.
final class TestUpstream: UpstreamPort {
    private let service: SharedService
    private let queue = DispatchQueue(label: "upstream")
    private let gate = Locked<Gate?>(nil)

    init(_ service: SharedService) { self.service = service }

    func use(_ gate: Gate) { self.gate.withLock { $0 = gate } }

    func start(_ attempt: consuming GrantedAttempt) { send(attempt) }

    func queueGrew() { queue.async { [self] in release() } }

    private func release() {
        guard let gate = gate.withLock({ $0 }) else { return }
        var release = gate.queue.release(now: .now)
        while let attempt = release.granted.popFirst() { send(attempt) }
        while let attempt = release.expired.popFirst() {
            let until = gate.queue.turn(of: attempt, now: .now)
            gate.deliver([gate.finish(gate.queue.end(attempt), .throttled(.quota, until: until), now: .now)])
        }
        guard let next = release.next, next < .distantFuture else { return }
        let span = max(0, min(next - .now, second))
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(span))) { [self] in self.release() }
    }

    private func send(_ attempt: consuming GrantedAttempt) {
        guard let gate = gate.withLock({ $0 }) else { return }
        let fetch = attempt.fetch
        guard case .sent(let sent) = gate.markSent(attempt, now: .now) else { return }
        let sentAt = sent.sentAt
        service.answer(fetch) { result in
            let ended = EndedAttempt(fetch: fetch, attempts: 1, sentAt: sentAt)
            gate.deliver([gate.finish(ended, result, now: .now)])
        }
    }
}

/// Keeps what was delivered, by waiter.
final class TestReceiver: ArrivalReceiver {
    private let arrivals = Locked<[Waiter: Arrival]>([:])

    func deliver(_ deliveries: [Delivery]) {
        arrivals.withLock { arrivals in
            for delivery in deliveries {
                for waiter in delivery.waiters { arrivals[waiter] = delivery.arrival }
            }
        }
    }

    func take(_ waiter: Waiter) -> Arrival? { arrivals.withLock { $0.removeValue(forKey: waiter) } }
}

/// A gateway without its sockets: gate, upstream and its part in the cluster.
final class TestMember: Sendable {
    static let domain = "abcdefghijABCDEFGHIJ10"

    let gate: Gate
    let member: ClusterMember
    private let receiver = TestReceiver()
    private let lastWaiter = Locked<UInt64>(0)
    let events = SharedList<ClusterMember.Event>()

    /// - Parameter rate: tokens a second of each quota group.
    init(
        _ redis: LocalRedis, _ service: SharedService, instances: Int = 3, rate: Double = 1000, burst: Double = 2,
        ttl: Int64 = 60 * second, key: String = "an example of a secret for tests",
        change: (inout ClusterSettings) -> Void = { _ in }
    ) throws {
        var settings = ClusterSettings(
            redis: try redis.settings(), name: "test", instances: instances, key: Array(key.utf8), maxWait: 2 * second)
        change(&settings)
        let catalog = try Catalog(yaml: BuiltInCatalogs.bytes(named: "voice-id") ?? [])
        let made = Service(
            index: 0,
            settings: Service.Settings(
                name: "voice-id", region: "us-east-1", catalog: catalog,
                quotas: catalog.quotaGroups.map { _ in Quota(rate: rate, burst: burst) }, callTimeout: 5 * second,
                maxWait: 2 * second, maxDepth: 64),
            now: .now)
        var policy = CachePolicy()
        policy.defaultTTL = ttl
        let upstream = TestUpstream(service)
        let events = events
        member = ClusterMember(settings, metrics: Metrics()) { events.add([$0]) }
        gate = Gate(
            services: [made], cache: PageCache(maxBytes: 1 << 22, maxWaiters: 100), policy: policy,
            callers: [CallerSettings(name: "anonymous", limit: Limit(Quota(rate: 1e6, burst: 1e6)))],
            upstream: upstream,
            receiver: receiver, cluster: member, sharesQuotas: settings.sharesQuotas)
        upstream.use(gate)
        member.start(for: gate)
    }

    /// Runs a test with members that share, and ends them.
    static func with(
        _ count: Int, _ redis: LocalRedis, _ service: SharedService, change: (inout ClusterSettings) -> Void = { _ in },
        _ body: ([TestMember]) async throws -> Void
    ) async throws {
        let members = try (0..<count).map { _ in try TestMember(redis, service, change: change) }
        for member in members { #expect(member.waitUntilJoined()) }
        try await body(members)
        for member in members { await member.stop() }
        redis.stop()
    }

    /// Waits for a condition; false after a while.
    @discardableResult
    static func wait(seconds: Double = 10, until isMet: () -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: seconds)
        while !isMet() {
            guard Date() < end else { return false }
            usleep(500)
        }
        return true
    }

    /// Waits until it shares.
    func waitUntilJoined() -> Bool { Self.wait { member.isJoined && member.figures.mode == "shared" } }

    /// The answer to a request.
    enum Answer: Equatable {
        case page(String, isHit: Bool)
        case reply(String)
        case error(String)
        case none

        /// The body of a page.
        var body: String? { if case .page(let body, _) = self { body } else { nil } }
    }

    func ask(_ operation: String, _ body: String, isAwaited: Bool = true) -> Answer {
        let target = Array("VoiceID.\(operation)".utf8)
        let text = Array(body.utf8)
        let call = gate.read(target: target.span, scope: Span(), body: text.span)
        let waiter = lastWaiter.withLock { last in
            last += 1
            return Waiter(loop: 0, slot: 0, generation: last)
        }
        switch gate.decide(call, waiter: waiter, now: .now) {
        case .page(let page, _): return .page(String(decoding: page.body, as: UTF8.self), isHit: true)
        case .refused(let error): return .error(error.error.code)
        case .wait:
            guard isAwaited else { return .none }
            var arrival: Arrival?
            Self.wait {
                arrival = receiver.take(waiter)
                return arrival != nil
            }
            return switch arrival {
            case .page(let page): .page(String(decoding: page.body, as: UTF8.self), isHit: false)
            case .stale(let page, _): .page(String(decoding: page.body, as: UTF8.self), isHit: true)
            case .reply(let reply): .reply(String(decoding: reply.body, as: UTF8.self))
            case .error(let error): .error(error.error.code)
            case .stream: .error("a stream")
            case nil: .none
            }
        }
    }

    func list(_ domain: String = TestMember.domain) -> Answer {
        ask("ListFraudsterRegistrationJobs", "{\"DomainId\":\"\(domain)\"}")
    }

    func write(_ domain: String = TestMember.domain) -> Answer {
        ask("DeleteDomain", "{\"DomainId\":\"\(domain)\"}")
    }

    func stop() async { await member.stop() }
}

extension SharedService {
    func page(_ domain: String = TestMember.domain) -> String {
        "{\"JobSummaries\":[],\"Writes\":\(state.withLock { $0.writes[domain] ?? 0 })}"
    }
}

/// A Redis of a test's own, on a socket in a directory.
final class LocalRedis: @unchecked Sendable {
    // `@unchecked` because: tests start and stop it from one thread at a time.
    static let program = "/usr/bin/redis-server"
    private let directory: String
    private var process = Process()

    init() throws {
        directory =
            FileManager.default.temporaryDirectory.appending(path: "cluster-\(UUID().uuidString.prefix(13))").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try start()
    }

    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments = [
            "--port", "0", "--unixsocket", directory + "/socket", "--save", "", "--appendonly", "no", "--dir",
            directory,
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func settings(user: String? = nil, password: String? = nil) throws -> RedisSettings {
        var settings = try RedisSettings(urls: ["unix://\(directory)/socket"], username: user, password: password)
        settings.pauses = 1_000_000...20_000_000
        return settings
    }

    func signal(_ number: Int32) { Foundation.kill(process.processIdentifier, number) }

    func kill() {
        signal(SIGKILL)
        process.waitUntilExit()
    }

    func stop() {
        if process.isRunning { kill() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// A client of the test's own; the reply of each command is waited for.
    func call(_ words: [[UInt8]]) throws -> RESPValue? {
        let client = RedisClient(try settings(), name: "test", group: nil) { _ in }
        client.start()
        defer { client.close() }
        guard TestMember.wait(until: { client.state.isUp }) else { return nil }
        let replies = SharedList<RESPValue>()
        client.send(RedisCommand(words: words), timeout: 2 * second) { reply in
            replies.add([(try? reply.get()) ?? .null])
        }
        TestMember.wait { !replies.all.isEmpty }
        return replies.all.first
    }

    /// Waits until the pages that were fetched are in Redis: then their flights are over there.
    func waitForStores() throws {
        let areOver = TestMember.wait { (try? call("KEYS", "*:f:*")?.array?.isEmpty) == true }
        try #require(areOver)
    }

    func pageNames() throws -> [[UInt8]] { try (call("KEYS", "*:p:*")?.array ?? []).compactMap(\.bytes) }

    func call(_ words: String...) throws -> RESPValue? { try call(words.map { Array($0.utf8) }) }
}
