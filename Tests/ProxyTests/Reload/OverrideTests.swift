import AWSProtocol
import Logging
import NIOPosix
import NIOTestSupport
import Primitives
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Rates that are set for a while", .timeLimit(.minutes(1)))
struct OverrideTests {
    private static let yaml = "services: [{quotas: {batch: {rate: 2, burst: 2}}}]\ndrain: 1s\n"

    private func rate(_ gateway: TestGateway) async throws -> Double? {
        try await gateway.metric("jobsproxy_quota_rate{service=\"voice-id\",group=\"batch\"}")
    }

    @Test("take the place of the configured one, are shown, survive a reload and end by themselves")
    func ends() async throws {
        try await TestGateway.run(Self.yaml) { gateway in
            let configured = try #require(try await rate(gateway))
            let answer = try await gateway.admin("POST", "/override?group=batch&rate=0.5&for=2s")
            #expect(answer.status == 200)
            #expect(
                answer.text
                    == "{\"service\":\"voice-id\",\"group\":\"batch\",\"rate\":0.5,\"burst\":1,\"seconds\":2}\n")
            #expect(try #require(try await rate(gateway)) < 0.51)
            #expect(
                try await gateway.admin("GET", "/state").text.contains(
                    "\"overrides\":[{\"service\":\"voice-id\",\"group\":\"batch\",\"rate\":0.5,\"burst\":1,\"secondsLeft\":"
                ))
            #expect(try await gateway.reload(Self.yaml + "retry: {maxAttempts: 2}\n").status == 200)
            #expect(try #require(try await rate(gateway)) < 0.51)
            #expect(try await eventually { try await rate(gateway) == configured })
            #expect(try await gateway.admin("GET", "/state").text.contains("\"overrides\":[]"))
        }
    }

    @Test("are ended by 0s, and go above the configured one only if that is said")
    func above() async throws {
        try await TestGateway.run(Self.yaml) { gateway in
            let configured = try #require(try await rate(gateway))
            let refused = try await gateway.admin("POST", "/override?group=batch&rate=3&for=1h")
            #expect(refused.status == 400)
            #expect(refused.text.contains("above=true"))
            #expect(try await gateway.admin("POST", "/override?group=batch&rate=3&for=1h&above=true").status == 200)
            #expect(try #require(try await rate(gateway)) > 2.9)
            #expect(try await gateway.admin("POST", "/override?group=batch&for=0s").status == 200)
            #expect(try await rate(gateway) == configured)
        }
    }

    @Test(
        "are refused with what is wrong",
        arguments: [
            ("group=batsh&rate=1&for=1h", "'group': there is no group 'batsh', but batch, "),
            ("rate=1&for=1h", "'group': is missing"), ("group=batch&rate=1", "'for': is missing"),
            ("group=batch&for=1h", "'rate': is missing"),
            ("group=batch&rate=1&for=25h", "'for': must be between 0ms and 24h"),
            ("group=batch&rate=1&for=1h&until=2", "'until': is unknown"),
            ("group=batch&rate=-1&for=1h", "'rate': must be between"),
            ("group=batch&service=x&rate=1&for=1h", "'service': there is no service 'x'"),
            ("group=batch&group=batch&rate=1&for=1h", "'group' is given twice"), ("group", "NAME=VALUE"),
        ])
    func refused(query: String, problem: String) async throws {
        try await TestGateway.run(Self.yaml) { gateway in
            let answer = try await gateway.admin("POST", "/override?\(query)")
            #expect(answer.status == 400)
            #expect(answer.text.contains(problem), "\(answer.text)")
        }
    }

    @Test("whose end fails are tried again, and only said to be over when they are")
    func failedEnd() {
        let log = LogLines()
        let logger = Logger(label: "test") { _ in log }
        let reloader = Reloader(nil, Metrics(), group: MultiThreadedEventLoopGroup.singleton, logger: logger)
        var overrides = QuotaOverrides()
        overrides.set(
            .init(rate: 1, burst: 1), for: QuotaOverrides.Group(service: "a", group: "b"), until: .at(10))
        overrides.set(
            .init(rate: 1, burst: 1), for: QuotaOverrides.Group(service: "a", group: "c"), until: .at(50))
        #expect(reloader.endOverrides(overrides, now: .at(9)) { _ in Issue.record("none is over") } == nil)
        let again = reloader.endOverrides(overrides, now: .at(10)) { _ throws(CommandFailure) in
            throw CommandFailure("the disk is gone")
        }
        #expect(again == .at(10) + Reloader.retryPause)
        #expect(
            log.all == [
                "overrides are over, but the configured rates are not back: it is tried again cause=the disk is gone"
            ])
        var used = overrides
        #expect(reloader.endOverrides(overrides, now: .at(20)) { used = $0 } == .at(50))
        #expect(used.all.keys.map(\.group) == ["c"])
        #expect(log.all.last == "the rate of a quota group is the configured one again group=b service=a")
    }

    @Test("are a table that the time empties")
    func table() {
        var overrides = QuotaOverrides()
        let (one, other) = (
            QuotaOverrides.Group(service: "a", group: "b"), QuotaOverrides.Group(service: "a", group: "c")
        )
        overrides.set(.init(rate: 1, burst: 1), for: one, until: .at(10))
        overrides.set(.init(rate: 1, burst: 1), for: other, until: .at(20))
        #expect(overrides.nextEnd == .at(10))
        #expect(overrides.expire(now: .at(9)).isEmpty)
        #expect(overrides.expire(now: .at(10)) == [one])
        overrides.set(.init(rate: 2, burst: 2), for: other, until: .at(40))
        #expect(overrides.expire(now: .at(20)).isEmpty)
        overrides.end(other)
        #expect(overrides.nextEnd == nil)
    }
}
