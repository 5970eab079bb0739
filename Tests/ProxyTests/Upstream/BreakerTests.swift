import NIOTestSupport
import PageCache
import RateLimiter
import TestSupport
import Primitives
import Testing

@testable import Gateway
@testable import JobsProxy
import Primitives

@Suite("An open breaker", .timeLimit(.minutes(1)))
struct OpenBreakerTests {
    private static let page = "{\"JobSummaries\":[]}"
    private static let once = "retry: {maxAttempts: 1}\n"

    /// What the origin does, to be changed while it runs.
    private final class Mood: Sendable {
        private let isBad = LockedFlag()
        var fails: Bool {
            get { isBad.value }
            set { isBad.value = newValue }
        }

        func step(_ request: ScriptedOrigin.Request) -> ScriptedOrigin.Step {
            fails ? .reply(status: 500, body: "{}") : .reply(body: OpenBreakerTests.page)
        }
    }

    private static let state = "jobsproxy_breaker_state{service=\"voice-id\"}"

    @Test("lets nothing out, then one probe, and all after it; each change is a line in the log and a figure")
    func states() async throws {
        let mood = Mood()
        mood.fails = true
        let log = LogLines()
        try await ScriptedOrigin.run({ request, _ in mood.step(request) }) { origin in
            let breaker = "breaker: {failures: 3, openFor: 300ms}\n"
            try await TestGateway.run(TestGateway.service(origin.url) + Self.once + breaker, log: log) { gateway in
                for domain in "ABC" { #expect(try await gateway.page(query(domain: domain)).status == 500) }
                #expect(try await gateway.metric(Self.state) == 2)
                let refused = try await gateway.page(query(domain: "D"))
                #expect(refused.status == 500)
                #expect(refused.fields["x-amzn-errortype"] == "InternalServerException")
                #expect(refused.fields["cache-status"] == "jobs-proxy; detail=breaker")
                #expect(origin.requests.count == 3)
                // A probe that fails keeps it open.
                let isProbed = try await eventually { try await gateway.page(query(domain: "E")).text == "{}" }
                #expect(isProbed)
                #expect(origin.requests.count == 4)
                #expect(try await gateway.metric(Self.state) == 2)
                mood.fails = false
                let isBack = try await eventually { try await gateway.page(query(domain: "F")).status == 200 }
                #expect(isBack)
                #expect(origin.requests.count == 5)
                #expect(try await gateway.metric(Self.state) == 0)
                for domain in "GHIJ" { #expect(try await gateway.page(query(domain: domain)).status == 200) }
            }
        }
        let lines = log.all.filter { $0.contains("breaker") }
        #expect(lines.count == 5)
        let words = ["open", "half-open", "open", "half-open", "closed"]
        for (line, word) in zip(lines, words) {
            #expect(line.hasPrefix("breaker \(word): ") && line.contains("service=voice-id"), "\(line)")
        }
        #expect(lines.first?.contains("cause=3 attempts in a row have failed ") == true)
    }

    @Test("serves old pages meanwhile, and says why")
    func stale() async throws {
        let mood = Mood()
        try await ScriptedOrigin.run({ request, _ in mood.step(request) }) { origin in
            let yaml =
                TestGateway.service(origin.url) + Self.once + "breaker: {failures: 1, openFor: 1m}\n"
                + "cache: {ttl: {default: 1ms}, staleWhileRevalidate: 0ms}\n"
            try await TestGateway.run(yaml) { gateway in
                #expect(try await gateway.page(query()).status == 200)
                mood.fails = true
                // As soon as the page is old, one attempt is made for it, and fails.
                let isServedOld = try await eventually {
                    let reply = try await gateway.page(query())
                    return reply.status == 200 && reply.fields["cache-status"]?.contains("fwd=stale") == true
                }
                #expect(isServedOld)
                #expect(try await gateway.metric(Self.state) == 2)
                let count = origin.requests.count
                for _ in 0..<20 {
                    let reply = try await gateway.page(query())
                    #expect(reply.status == 200)
                    #expect(reply.text == Self.page)
                    #expect(reply.fields["cache-status"]?.contains("fwd=stale") == true)
                    #expect(reply.fields["cache-status"]?.hasSuffix("detail=breaker") == true)
                }
                #expect(origin.requests.count == count)
            }
        }
    }

    @Test("saves up no retries: what is not sent pays for none")
    func budget() async throws {
        let mood = Mood()
        mood.fails = true
        try await ScriptedOrigin.run({ request, _ in mood.step(request) }) { origin in
            let yaml =
                TestGateway.service(origin.url) + "breaker: {failures: 2, openFor: 300ms}\n"
                + "retry: {maxAttempts: 2, budget: {ratio: 0.1, reserve: 0}}\n"
            try await TestGateway.run(yaml) { gateway in
                for domain in "AB" { #expect(try await gateway.page(query(domain: domain)).status == 500) }
                for _ in 0..<30 { #expect(try await gateway.page(query(domain: "C")).status == 500) }
                mood.fails = false
                let isBack = try await eventually { try await gateway.page(query(domain: "D")).status == 200 }
                #expect(isBack)
                mood.fails = true
                let count = origin.requests.count
                #expect(try await gateway.page(query(domain: "E")).status == 500)
                #expect(origin.requests.count == count + 1)
            }
        }
    }

    @Test("costs no tokens: what is not sent is not charged")
    func tokens() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(status: 500, body: "{}") }) { origin in
            let yaml =
                TestGateway.service(origin.url)
                .replacing("batch: {rate: 10000, burst: 10000}", with: "batch: {rate: 0.01, burst: 1}")
                + Self.once + "breaker: {failures: 1, openFor: 1m}\n"
            try await TestGateway.run(yaml) { gateway in
                // Another group's failure opens the breaker; the token of this one has to come first, and starts at none.
                #expect(try await gateway.call("ListWatchlists", query()).status == 500)
                #expect(try await gateway.metric(Self.state) == 2)
                let gate = gateway.assembly.gate
                let batch = gate.services[0].catalog.quotaGroups.firstIndex { $0.name == "batch" }
                let group = gate.queue.groups[0][try #require(batch)]
                group.giveBack(now: Process.now)
                let before = group.tokens(now: Process.now)
                for domain in "ABCDEFGH" {
                    let reply = try await gateway.page(query(domain: domain))
                    #expect(reply.fields["cache-status"] == "jobs-proxy; detail=breaker")
                }
                #expect(group.tokens(now: Process.now) >= before)
                #expect(origin.requests.count == 1)
            }
        }
    }
}
