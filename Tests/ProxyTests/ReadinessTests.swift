import NIOTestSupport
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Readiness", .timeLimit(.minutes(1)))
struct ReadinessTests {
    private static func at(_ seconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: seconds * 1_000_000_000)
    }

    private final class State: Sendable {
        let faults = Mutex<[String]>([])
        let pages = Mutex(0)
    }

    private func readiness(_ state: State) -> Readiness {
        Readiness(patience: 600_000_000_000) {
            state.pages.withLock { $0 > 0 }
        } faults: {
            state.faults.withLock { $0 }
        }
    }

    @Test("is missing until the services can be called the first time, even with pages")
    func never() {
        let state = State()
        state.faults.withLock { $0 = ["credentials of voice-id: none"] }
        state.pages.withLock { $0 = 5 }
        let readiness = readiness(state)
        #expect(readiness.reasons(now: Self.at(1)) == ["credentials of voice-id: none"])
        state.faults.withLock { $0 = [] }
        #expect(readiness.reasons(now: Self.at(2)).isEmpty)
    }

    @Test("once there, stays for as long as pages may stand in for the services")
    func stays() {
        let state = State()
        let readiness = readiness(state)
        #expect(readiness.reasons(now: Self.at(0)).isEmpty)
        state.faults.withLock { $0 = ["gone"] }
        #expect(readiness.reasons(now: Self.at(10)) == ["gone"])
        state.pages.withLock { $0 = 1 }
        #expect(readiness.reasons(now: Self.at(20)).isEmpty)
        #expect(readiness.reasons(now: Self.at(599)).isEmpty)
        #expect(readiness.reasons(now: Self.at(600)) == ["gone"])
        state.faults.withLock { $0 = [] }
        #expect(readiness.reasons(now: Self.at(700)).isEmpty)
        state.faults.withLock { $0 = ["gone again"] }
        #expect(readiness.reasons(now: Self.at(1299)).isEmpty)
        #expect(readiness.reasons(now: Self.at(1300)) == ["gone again"])
    }

    @Test("tells its reasons as JSON", arguments: [true, false])
    func reasons(isOnThisMachine: Bool) async throws {
        let url = isOnThisMachine ? "http://127.0.0.1:1" : "https://voiceid.example"
        let log = LogLines()
        let yaml = TestGateway.service(url, credentials: "default")
        try await TestGateway.run(yaml, environment: ["AWS_EC2_METADATA_DISABLED": "true"], log: log) { gateway in
            var reply = try await gateway.admin("GET", "/readyz")
            let end = ContinuousClock.now + .seconds(20)
            while reply.text.contains("being fetched"), ContinuousClock.now < end {
                reply = try await gateway.admin("GET", "/readyz")
            }
            #expect(reply.fields["content-type"] == "application/json")
            #expect(reply.status == (isOnThisMachine ? 200 : 503))
            if isOnThisMachine {
                #expect(reply.text == "{\"ready\":true,\"reasons\":[]}\n")
            } else {
                #expect(reply.text.hasPrefix("{\"ready\":false,\"reasons\":[\"credentials of voice-id: "))
                let failed = "jobsproxy_credentials_refreshes_total{service=\"voice-id\",result=\"failed\"}"
                while try await gateway.metric(failed) ?? 0 < 2, ContinuousClock.now < end {
                    _ = try await gateway.admin("GET", "/readyz")
                }
                #expect(try await gateway.metric(failed) ?? 0 >= 2)
                #expect(log.all.count { $0.hasPrefix("credentials cannot be refreshed") } == 1)
            }
        }
    }
}
