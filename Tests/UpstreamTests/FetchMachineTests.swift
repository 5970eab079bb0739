import AWSProtocol
import Gateway
import PageCache
import Synchronization
import Testing

@testable import OriginClient
@testable import Upstream
import Primitives
import TestSupport

@Suite("A fetch")
struct FetchMachineTests {
    @Test("has as long as its operation is given, and the call with it")
    func ownTimeout() throws {
        let fixture = try MachineFixture(callTimeout: 8 * second) { catalog in
            for place in catalog.operations.indices where catalog.operations[place].name.hasPrefix("List") {
                catalog.operations[place].timeout = 65 * second
            }
        }
        fixture.ask()
        fixture.ask("DescribeDomain")
        #expect(fixture.sent.map(\.order.timeout) == [65 * second, 5 * second])
    }

    /// What becomes of an attempt.
    enum End: Sendable {
        case reply(Int, String? = nil)
        case fail(CurlError)
        case timeout
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        var operation = "ListFraudsterRegistrationJobs"
        var more = ""
        var isRetry = false
        let ends: [End]
        /// Attempts, and what the client gets.
        let attempts: Int
        let word: String

        var testDescription: String { name }
    }

    private static let noConnection = CurlError.couldNotConnect
    private static let delete = (operation: "DeleteSpeaker", more: ",\"SpeakerId\":\"s\"")
    private static let create = (operation: "CreateWatchlist", more: ",\"Name\":\"n\",\"ClientToken\":\"t\"")
    private static let overloaded = End.reply(500, "InternalServerException")

    static let rows = [
        Row(name: "is answered", ends: [.reply(200)], attempts: 1, word: "page"),
        Row(name: "is repeated after a failure", ends: [overloaded, .reply(200)], attempts: 2, word: "page"),
        Row(
            name: "ends with the last failure", ends: [overloaded, overloaded, overloaded], attempts: 3,
            word: "reply 500"),
        Row(
            name: "is not repeated after a refusal", ends: [.reply(400, "ValidationException")], attempts: 1,
            word: "reply 400"),
        Row(
            name: "is not repeated after a throttle", ends: [.reply(400, "ThrottlingException")], attempts: 1,
            word: "reply 400"),
        Row(
            name: "is repeated without a connection", ends: [.fail(noConnection), .reply(200)], attempts: 2,
            word: "page"),
        Row(name: "ends in time", ends: [.timeout, .timeout, .timeout], attempts: 3, word: "timeout"),
        Row(
            name: "is left to a client that retries", isRetry: true, ends: [overloaded], attempts: 1, word: "reply 500"),
        Row(
            name: "that writes is sent once", operation: delete.operation, more: delete.more, ends: [overloaded],
            attempts: 1, word: "reply 500"),
        Row(
            name: "that writes is repeated if no byte left", operation: delete.operation, more: delete.more,
            ends: [.fail(noConnection), .fail(.refusedStream), .reply(200)], attempts: 3, word: "reply 200"),
        Row(
            name: "that writes with a token is repeated", operation: create.operation, more: create.more,
            ends: [overloaded, .reply(200)], attempts: 2, word: "reply 200"),
    ]

    @Test("that", arguments: rows)
    func course(_ row: Row) throws {
        let fixture = try MachineFixture()
        let waiter = fixture.ask(row.operation, more: row.more, isRetry: row.isRetry)
        for end in row.ends {
            try #require(fixture.outstanding.count == 1)
            switch end {
            case .reply(let status, let code): fixture.reply(status, code)
            case .fail(let error): fixture.fail(error)
            case .timeout: fixture.advance(5 * second)
            }
            fixture.advance(second)
        }
        #expect(fixture.sent.count == row.attempts)
        #expect(fixture.sent.map(\.order.number) == Array(1...row.attempts))
        #expect(fixture.word(waiter) == row.word)
        #expect(fixture.isIdle)
        // A throttle empties the bucket.
        if fixture.results.contains(.throttled) { return }
        let group = try #require(fixture.sent.first).order.fetch.quotaGroup
        #expect(abs(fixture.tokensTaken(group, from: 100) - Double(row.attempts)) < 0.01, "each attempt costs a token")
    }

    @Test("is repeated as often as is allowed, and as the budget pays for")
    func limits() throws {
        for (maxAttempts, reserve, attempts) in [(1, 10, 1), (5, 10, 5), (5, 0, 1), (5, 2, 3)] {
            var retry = RetryPolicy()
            retry.maxAttempts = maxAttempts
            retry.budget.reserve = reserve
            retry.budget.ratio = 0
            // So that none of the reserve comes back meanwhile.
            retry.baseDelay = 0
            let fixture = try MachineFixture(failures: 100, retry: retry)
            fixture.ask()
            while !fixture.outstanding.isEmpty, fixture.sent.count < 20 {
                fixture.reply(500)
                fixture.advance(millisecond)
            }
            #expect(fixture.sent.count == attempts, "\(maxAttempts), \(reserve)")
            #expect(fixture.isIdle)
        }
    }

    @Test("that cannot be begun is repeated as soon as one that has failed")
    func failedStart() throws {
        let fixture = try MachineFixture()
        fixture.startFault = Self.noConnection
        fixture.ask()
        #expect(fixture.sent.count == 1)
        fixture.startFault = nil
        fixture.advance(second)
        #expect(fixture.sent.count == 2)
        #expect(
            (fixture.sent.last?.at ?? .distantFuture) - fixture.start <= RetryPolicy().baseDelay,
            "no other event wakes the thread")
    }

    @Test("has no attempt longer than what is left of its time, and none after it")
    func deadline() throws {
        let fixture = try MachineFixture(callTimeout: 8 * second)
        let waiter = fixture.ask()
        fixture.advance(20 * second)
        #expect(fixture.sent.count == 2)
        #expect(fixture.sent.map(\.order.timeout).first == 5 * second)
        for (order, at) in fixture.sent { #expect(at + order.timeout <= fixture.start + 8 * second) }
        #expect(fixture.word(waiter) == "timeout")
        #expect(fixture.isIdle)
    }

    @Test("that comes too late to the thread that sends it is not sent")
    func late() throws {
        let fixture = try MachineFixture(callTimeout: 8 * second)
        fixture.hang(0)
        let waiter = fixture.ask()
        fixture.hang(8 * second)
        fixture.resume()
        #expect(fixture.sent.isEmpty && fixture.word(waiter) == "deadline" && fixture.isIdle)
        #expect(abs(fixture.tokensTaken(1, from: 100)) < 0.01)
    }

    @Test("that waits for a token is sent when it comes, or not at all if its client has gone")
    func queue() throws {
        let fixture = try MachineFixture(tokens: 0)
        let call = fixture.read("ListFraudsterRegistrationJobs")
        let other = fixture.read("ListFraudsterRegistrationJobs", ",\"MaxResults\":7")
        let (first, second) = (fixture.ask(call), fixture.ask(other))
        #expect(fixture.sent.isEmpty)
        fixture.abandon(call, waiter: try #require(first))
        fixture.advance(1000 * millisecond)
        #expect(fixture.sent.count == 1)
        fixture.reply(200)
        #expect(fixture.word(first) == "" && fixture.word(second) == "page")
        #expect(fixture.isIdle && fixture.gate.cache.figures.flights == 0)
    }

    @Test("that finds no token for its repetition ends with what it has")
    func repetitionWithoutToken() throws {
        let fixture = try MachineFixture(tokens: 1, interval: 60 * second)
        let waiter = fixture.ask()
        fixture.reply(503)
        fixture.advance(second)
        #expect(fixture.sent.count == 1)
        #expect(fixture.word(waiter) == "reply 503")
        #expect(fixture.isIdle)
    }

    @Test("is refused by an open breaker, at no cost; a probe that succeeds lets all pass again")
    func breaker() throws {
        var retry = RetryPolicy()
        retry.maxAttempts = 1
        let fixture = try MachineFixture(retry: retry)
        for size in 1...5 {
            fixture.ask(more: ",\"MaxResults\":\(size)")
            fixture.reply(500)
        }
        let refused = fixture.ask(more: ",\"MaxResults\":9")
        #expect(fixture.word(refused) == "breaker" && fixture.sent.count == 5)
        #expect(abs(fixture.tokensTaken(1, from: 100) - 5) < 0.01)
        fixture.advance(1250 * millisecond)
        let probe = fixture.ask(more: ",\"MaxResults\":9")
        let beside = fixture.ask(more: ",\"MaxResults\":8")
        #expect(fixture.word(beside) == "breaker" && fixture.sent.count == 6)
        fixture.reply(200)
        #expect(fixture.word(probe) == "page")
        fixture.ask(more: ",\"MaxResults\":8")
        #expect(fixture.sent.count == 7)
        guard case .breakerOpened("voice-id", "5 attempts in a row have failed", _) = fixture.events.first else {
            Issue.record("\(fixture.events)")
            return
        }
        #expect(
            fixture.events.dropFirst() == [.breakerHalfOpen(service: "voice-id"), .breakerClosed(service: "voice-id")])
    }

    @Test("waits for credentials without a token, and is sent when they have come")
    func credentials() throws {
        let fixture = try MachineFixture()
        let ready = fixture.supply.answer.withLock { $0 }
        fixture.supply.answer.withLock { $0 = .pending }
        let first = fixture.ask()
        #expect(fixture.sent.isEmpty && abs(fixture.tokensTaken(1, from: 100)) < 0.01)
        fixture.supply.answer.withLock { $0 = ready }
        fixture.handle(.credentialsCame)
        #expect(fixture.sent.count == 1)
        fixture.reply(200)
        #expect(fixture.word(first) == "page")

        fixture.supply.answer.withLock { $0 = .pending }
        let late = fixture.ask(more: ",\"MaxResults\":2")
        fixture.advance(15 * second)
        #expect(fixture.word(late) == "credentials" && fixture.isIdle)

        fixture.supply.answer.withLock { $0 = .unavailable("there are none") }
        for size in 3...4 { #expect(fixture.word(fixture.ask(more: ",\"MaxResults\":\(size)")) == "credentials") }
        fixture.supply.answer.withLock { $0 = ready }
        for size in 5...6 { fixture.ask(more: ",\"MaxResults\":\(size)") }
        #expect(
            fixture.events == [
                .credentialsMissing(service: "voice-id", cause: "there are none"),
                .credentialsBack(service: "voice-id"),
            ])
    }

    @Test("is sent without a signature, whatever credentials there are, if its operation is not signed")
    func unsigned() throws {
        let fixture = try MachineFixture(change: { catalog in
            for place in catalog.operations.indices where catalog.operations[place].name == "DeleteDomain" {
                catalog.operations[place].isUnsigned = true
            }
        })
        let ready = fixture.supply.answer.withLock { $0 }
        fixture.supply.renews.withLock { $0 = true }
        for answer in [ready, .pending, .unavailable("there are none")] {
            fixture.supply.answer.withLock { $0 = answer }
            let waiter = fixture.ask("DeleteDomain")
            let lines = try #require(fixture.sent.last?.order.lines)
            #expect(!lines.has("authorization") && !lines.has("x-amz-date") && !lines.has("x-amz-security-token"))
            // It says nothing of the gateway's credentials.
            fixture.reply(400, "ExpiredTokenException")
            #expect(fixture.word(waiter) == "reply 400")
        }
        #expect(fixture.sent.count == 3 && fixture.events.isEmpty)
        fixture.supply.answer.withLock { $0 = ready }
        fixture.ask()
        #expect(fixture.sent.last?.order.lines?.has("authorization") == true)
    }

    @Test("is signed anew, once, with credentials that replace those that the service refused")
    func renewal() throws {
        let fixture = try MachineFixture()
        fixture.supply.renews.withLock { $0 = true }
        let waiter = fixture.ask(Self.delete.operation, more: Self.delete.more)
        for _ in 0..<2 {
            fixture.reply(400, "ExpiredTokenException")
            fixture.advance(second)
        }
        #expect(fixture.sent.count == 2 && fixture.word(waiter) == "reply 400")
        #expect(fixture.events == [.credentialsRefused(service: "voice-id")])
    }

    @Test("is not sent before the moment that the service has named")
    func retryAfter() throws {
        let fixture = try MachineFixture()
        fixture.ask()
        fixture.reply(503, fields: [("retry-after", "2")])
        let other = fixture.ask(more: ",\"MaxResults\":2")
        fixture.advance(1999 * millisecond)
        #expect(fixture.sent.count == 1)
        fixture.advance(2 * millisecond)
        #expect(fixture.sent.count == 3)
        fixture.reply(200)
        fixture.reply(200)
        #expect(fixture.word(other) == "page")
    }

    @Test("that is throttled slows its quota group down, which is reported once, and once when it is over")
    func feedback() throws {
        let fixture = try MachineFixture(interval: millisecond)
        fixture.advance(millisecond)
        for size in 1...2 {
            fixture.ask(more: ",\"MaxResults\":\(size)")
            fixture.advance(10 * millisecond)
            fixture.reply(400, "ThrottlingException")
        }
        #expect(fixture.events == [.quotaCut(service: "voice-id", group: "batch")])
        fixture.advance(60 * second)
        fixture.handle(.queueGrew)
        #expect(fixture.events.last == .quotaRestored(service: "voice-id", group: "batch"))
    }

    @Test("that lost its connection is repeated at once over another; many that shared it pay once")
    func lostConnection() throws {
        var retry = RetryPolicy()
        retry.budget.reserve = 1
        retry.budget.ratio = 0
        let fixture = try MachineFixture(failures: 2, retry: retry)
        for size in 1...4 { fixture.ask(more: ",\"MaxResults\":\(size)") }
        for _ in 1...4 { fixture.fail(.receiveFailed, lostConnection: 7) }
        fixture.advance(millisecond)
        #expect(fixture.sent.count == 8)
        #expect(fixture.sent.dropFirst(4).allSatisfy { $0.order.needsFreshConnection && $0.order.number == 2 })
        #expect(fixture.events.isEmpty, "one cause is one failure")
    }

    @Test("tells of what this machine lacks at most once a minute")
    func localFault() throws {
        let fixture = try MachineFixture()
        for _ in 0..<3 { fixture.handle(.localFault(.localFault(24))) }
        fixture.advance(61 * second)
        fixture.handle(.localFault(.localFault(24)))
        #expect(fixture.events.count == 2)
    }

    @Test("ends with a stop: what is on its way, what pauses, and what waits")
    func stop() throws {
        let fixture = try MachineFixture(tokens: 2)
        let waiters = (1...3).map { fixture.ask(more: ",\"MaxResults\":\($0)") }
        fixture.reply(500)
        #expect(!fixture.isIdle)
        fixture.handle(.stop)
        #expect(fixture.isIdle && fixture.cancelled.count == 1)
        #expect(waiters.map { fixture.word($0) } == ["reply 500", "stop", "throttled quota"])
        fixture.advance(20 * second)
        #expect(fixture.sent.count == 2)
    }

    @Test("takes no second end of an attempt, and none of an attempt that is not on its way")
    func strays() throws {
        let fixture = try MachineFixture()
        let waiter = fixture.ask()
        let id = try #require(fixture.outstanding.first?.id)
        fixture.reply(500)
        for stray in [id, 99] { fixture.end(stray, .success(CurlReply(status: 200, body: Array("{}".utf8)))) }
        #expect(fixture.word(waiter) == "" && fixture.results == [.serverError])
        fixture.advance(second)
        fixture.reply(200)
        fixture.end(id, .failure(.receiveFailed))
        #expect(fixture.word(waiter) == "page" && fixture.sent.count == 2 && fixture.results.count == 2)
    }

    /// Holds writes until an instant.
    private final class Holder: WriteObserver {
        let until = Mutex(MonotonicInstant.distantFuture)
        let counts = Mutex((begun: 0, ended: 0))

        func writeBegins(_ scopes: [EpochScope], now: MonotonicInstant) -> MonotonicInstant? {
            let until = until.withLock { $0 }
            guard now >= until else { return until }
            counts.withLock { $0.begun += 1 }
            return nil
        }

        func writeEnded(_ scopes: [EpochScope]) { counts.withLock { $0.ended += 1 } }
    }

    @Test("that writes and must not be sent yet gives its tokens back until it may")
    func held() throws {
        let holder = Holder()
        let fixture = try MachineFixture(observer: holder)
        holder.until.withLock { $0 = fixture.now + 2 * second }
        let waiter = fixture.ask(Self.delete.operation, more: Self.delete.more)
        #expect(fixture.sent.isEmpty && abs(fixture.tokensTaken(3, from: 100)) < 0.01)
        fixture.advance(2 * second)
        #expect(fixture.sent.count == 1)
        fixture.reply(200)
        #expect(fixture.word(waiter) == "reply 200")
        #expect(holder.counts.withLock { $0 } == (1, 1))
    }
}
