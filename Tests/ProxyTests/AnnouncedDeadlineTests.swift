import Glibc
import NIOTestSupport
import TestSupport
import Testing

@testable import JobsProxy

@Suite("What a client announces in amz-sdk-request", .timeLimit(.minutes(1)))
struct AnnouncedDeadlineTests {
    private func ask(_ gateway: TestGateway, _ announcement: String) async throws -> HTTPReply {
        let client = try await gateway.client()
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.Foo\r\namz-sdk-request: \(announcement)\r\n"
                + "Content-Length: 2\r\n\r\n{}")
        try await client.close()
        return reply
    }

    @Test("is passed over if it cannot be meant, in the past, in centuries or at the ends of numbers")
    func nonsense() async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url)) { gateway in
                for year in [0, 1, 1677, 1970, 2025] + Array(2262...2320) + [2611, 2612, 9999] {
                    let digits = String("0000\(year)".suffix(4))
                    for rest in ["0101T000000Z", "0411T234716Z", "0615T120000Z", "1124T113000Z", "1231T235960Z"] {
                        let reply = try await ask(gateway, "attempt=1; ttl=\(digits)\(rest); max=3")
                        #expect(reply.status == 200, "\(digits)\(rest)")
                    }
                }
                // Where nanoseconds of 64 bits end, counted from now.
                for seconds in [1, 10, 100, 1000, 10_000] {
                    var time = time(nil) + 9_223_372_036 - seconds
                    var parts = tm()
                    gmtime_r(&time, &parts)
                    var text = [CChar](repeating: 0, count: 20)
                    strftime(&text, text.count, "%Y%m%dT%H%M%SZ", &parts)
                    let ttl = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                    let reply = try await ask(gateway, "ttl=\(String(decoding: ttl, as: UTF8.self))")
                    #expect(reply.status == 200, "\(seconds)")
                }
                for text in [
                    "ttl=", "ttl=x", "ttl=20261301T000000Z", "ttl=20260101T250000Z", "ttl=2026-01-01T00:00:00Z",
                ] {
                    let reply = try await ask(gateway, text)
                    #expect(reply.status == 200, "\(text)")
                }
            }
        }
    }
}
