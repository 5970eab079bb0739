import AWSProtocol
import Gateway
import OriginClient
import PageCache
import Synchronization
import TestSupport
import Testing

@testable import Upstream
import Primitives

/// Random sequences of events, the same in every run. Whatever comes, these hold: each client that waits gets one answer, in time; each
/// token that is taken is sent or given back; there are no more attempts than are allowed, none after the deadline, none beside
/// another of the same fetch, and no second one of an unsafe write of which a byte may have left.
@Suite("Whatever happens, a fetch")
struct FetchMachineRandomTests {
    private static let parts = 10
    private static let sequences = 100_000 / parts
    /// So many use one machine, one after the other.
    private static let sharing = 25

    @Test("ends once, and obeys its limits", arguments: 0..<parts)
    func invariants(_ part: Int) throws {
        for first in stride(from: part * Self.sequences, to: (part + 1) * Self.sequences, by: Self.sharing) {
            var run = try Run(seed: UInt64(first))
            for number in first..<first + Self.sharing {
                if let fault = run.sequence() {
                    Issue.record("sequence \(number) from \(first): \(fault)")
                    return
                }
            }
        }
    }

    private struct Run {
        private static let tokens = 3
        private static let callTimeout = 8 * second
        private static let kinds: [(operation: String, more: String)] = [
            ("ListFraudsterRegistrationJobs", ""), ("ListFraudsterRegistrationJobs", ",\"MaxResults\":2"),
            ("ListSpeakers", ""), ("DeleteSpeaker", ",\"SpeakerId\":\"s\""),
            ("CreateWatchlist", ",\"Name\":\"n\",\"ClientToken\":\"t\""),
            ("EvaluateSession", ",\"SessionNameOrId\":\"s\""),
            ("Uncatalogued", ""),
        ]
        /// Read once, because that takes longest. Their services are as those of `fixture`.
        private static let calls =
            (try? MachineFixture(callTimeout: callTimeout)).map { fixture in
                kinds.map { fixture.read($0.operation, $0.more) }
            } ?? []
        private static let errors: [CurlError] = [
            .couldNotConnect, .receiveFailed, .refusedStream, .timeout, .replyTooLarge, .localFault(24), .cutShort,
        ]
        private static let replies: [(Int, String?)] = [
            (200, nil), (200, nil), (500, "InternalServerException"), (503, nil), (400, "ValidationException"),
            (400, "ExpiredTokenException"), (502, nil), (400, "AccessDeniedException"),
        ]

        private let fixture: MachineFixture
        private var random: SeededGenerator
        private let maxAttempts: Int
        private let throttles: Bool
        private var waiters: [(waiter: UInt64, call: Call, askedAt: MonotonicInstant)] = []
        private var abandoned: Set<UInt64> = []
        /// How many attempts were looked at.
        private var looked = 0
        /// Of which attempt of a fetch a byte may have left.
        private var mayHaveSent: [UInt64: Int] = [:]
        /// The tokens that each group had given out before.
        private var taken: [Double] = []

        init(seed: UInt64) throws {
            random = SeededGenerator(seed: seed)
            maxAttempts = Int.random(in: 1...4, using: &random)
            throttles = Int.random(in: 0..<4, using: &random) == 0
            var retry = RetryPolicy()
            retry.maxAttempts = maxAttempts
            fixture = try MachineFixture(
                tokens: Self.tokens, maxWait: Int.random(in: 0...2, using: &random) == 0 ? 0 : 3 * second,
                callTimeout: Self.callTimeout,
                attemptTimeout: 3 * second, failures: 3, retry: retry, seed: seed)
        }

        /// - Returns: what does not hold; nil if all does.
        mutating func sequence() -> String? {
            fixture.forget()
            waiters = []
            abandoned = []
            looked = 0
            mayHaveSent = [:]
            taken = (0..<6).map { fixture.tokensTaken($0, from: Self.tokens) }
            for _ in 0..<Int.random(in: 2...14, using: &random) {
                step()
                if let fault = look() { return fault }
            }
            fixture.resume()
            if Bool.random(using: &random) {
                fixture.supply.answer.withLock { $0 = Self.ready }
                for _ in 0..<100 where !fixture.isIdle {
                    if Bool.random(using: &random) { fixture.handle(.credentialsCame) }
                    fixture.advance(second)
                    if let fault = look() { return fault }
                }
            } else {
                fixture.handle(.stop)
            }
            return look() ?? end()
        }

        private static let ready = CredentialAnswer.ready(AWSCredentials(accessKeyID: "A", secretAccessKey: "s"))

        private mutating func step() {
            let kind = Int.random(in: 0..<18, using: &random)
            if kind > 4, kind != 14 { fixture.resume() }
            switch kind {
            case 0...4:
                let call = Self.calls[Int.random(in: 0..<Self.calls.count, using: &random)]
                var directives = CacheDirectives()
                directives.isRetry = Int.random(in: 0..<4, using: &random) == 0
                directives.noCache = Int.random(in: 0..<4, using: &random) == 0
                if Int.random(in: 0..<4, using: &random) == 0 {
                    directives.deadline = fixture.now + Int64.random(in: 0...5 * second, using: &random)
                }
                if let waiter = fixture.ask(call, directives) { waiters.append((waiter, call, fixture.now)) }
            case 5:
                guard let (waiter, call, _) = waiters.randomElement(using: &random) else { return }
                // Only a client that still waits goes.
                guard fixture.arrivals[waiter] == nil, abandoned.insert(waiter).inserted else { return }
                fixture.abandon(call, waiter: waiter)
            case 6...9:
                var reply = Self.replies[Int.random(in: 0..<Self.replies.count, using: &random)]
                if throttles, Bool.random(using: &random) { reply = (400, "ThrottlingException") }
                let fields = Int.random(in: 0..<6, using: &random) == 0 ? [("retry-after", "1")] : []
                guard let attempt = fixture.outstanding.first else { return }
                noteEnd(of: attempt.id, isCertain: reply.1 == "ExpiredTokenException")
                fixture.reply(reply.0, reply.1, fields: fields)
            case 10, 11:
                let error = Self.errors[Int.random(in: 0..<Self.errors.count, using: &random)]
                guard let attempt = fixture.outstanding.first else { return }
                noteEnd(of: attempt.id, isCertain: !error.mayHaveSent)
                fixture.fail(
                    error, lostConnection: error.isLostConnection ? UInt64(Int.random(in: 1...3, using: &random)) : nil)
            case 12:
                let answers: [CredentialAnswer] = [Self.ready, Self.ready, .pending, .unavailable("none")]
                let answer = answers[Int.random(in: 0..<4, using: &random)]
                fixture.supply.answer.withLock { $0 = answer }
                let renews = Bool.random(using: &random)
                fixture.supply.renews.withLock { $0 = renews }
                fixture.handle(.credentialsCame)
            case 13:
                // Something that is of no attempt on its way.
                let id = (fixture.sent.last?.order.fetch.id ?? 0) &+ UInt64(Int.random(in: 0...2, using: &random))
                guard !fixture.outstanding.contains(where: { $0.id == id }) else { return }
                fixture.end(id, .failure(.receiveFailed))
            case 14: fixture.hang(Int64.random(in: 0...10 * second, using: &random))
            default:
                let spans = [0, millisecond, 60 * millisecond, 400 * millisecond, 1100 * millisecond, 4 * second]
                fixture.advance(spans[Int.random(in: 0..<spans.count, using: &random)])
            }
        }

        /// An attempt ends: of an unsafe write none may follow unless it is certain that nothing was done.
        private mutating func noteEnd(of id: UInt64, isCertain: Bool) {
            if !isCertain { mayHaveSent[id] = fixture.sent.count { $0.order.fetch.id == id } }
        }

        /// Looks at what was sent since.
        private mutating func look() -> String? {
            if fixture.isHung { return nil }
            defer { looked = fixture.sent.count }
            for place in looked..<fixture.sent.count {
                let (order, at) = fixture.sent[place]
                let earlier = fixture.sent[..<place].filter { $0.order.fetch.id == order.fetch.id }
                if order.number > maxAttempts { return "attempt \(order.number) of \(maxAttempts)" }
                if order.number != earlier.count + 1 { return "number \(order.number) after \(earlier.count)" }
                if at >= order.fetch.deadline { return "sent after the deadline" }
                if order.timeout <= 0 || at + order.timeout > order.fetch.deadline { return "time beyond the deadline" }
                if order.fetch.safety == .unsafeWrite, let sent = mayHaveSent[order.fetch.id], order.number > sent {
                    return "an unsafe write was sent again"
                }
            }
            let ids = fixture.outstanding.map(\.id)
            if Set(ids).count != ids.count { return "two attempts of a fetch at once" }
            for (waiter, arrivals) in fixture.arrivals where arrivals.count > 1 {
                return "waiter \(waiter) got \(arrivals.count) answers"
            }
            for (waiter, _, askedAt) in waiters
            where fixture.now - askedAt > Self.callTimeout + millisecond && !abandoned.contains(waiter)
                && fixture.arrivals[waiter] == nil
            {
                return "waiter \(waiter) got no answer in time"
            }
            return nil
        }

        private func end() -> String? {
            if !fixture.isIdle { return "it never ends" }
            if fixture.gate.cache.figures.flights != 0 { return "a flight is left" }
            if !fixture.outstanding.isEmpty { return "an attempt is left" }
            for (waiter, _, _) in waiters where !abandoned.contains(waiter) && fixture.arrivals[waiter] == nil {
                return "waiter \(waiter) got no answer"
            }
            if throttles { return nil }
            for group in 0..<6 {
                let sent = fixture.sent.count { $0.order.fetch.quotaGroup == group }
                let taken = fixture.tokensTaken(group, from: Self.tokens) - taken[group]
                if abs(taken - Double(sent)) > 0.01 { return "group \(group): \(taken) tokens for \(sent) attempts" }
            }
            return nil
        }
    }
}
