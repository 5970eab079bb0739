import Gateway
import Glibc
import NIOSSL
import NIOTestSupport
import PageCache
import TestSupport
import Testing

@testable import JobsProxy

/// What goes wrong before there is anything to be sent over.
@Suite("An origin that cannot be reached", .timeLimit(.minutes(1)))
struct UnreachableTests {
    static let handshakes: [(String, ScriptedOrigin.Step)] = [
        ("close", .close), ("reset", .reset), ("stall", .stall),
        ("alert", .sequence([.bytes([21, 3, 3, 0, 2, 2, 40]), .close])),
        ("no TLS", .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), .close])),
    ]

    private func expectNothingSent(_ url: String, attempts: Int = 3, more: String = "") async throws {
        let timeouts = "{connect: 200ms, attempt: 300ms, call: 3s}"
        let yaml = TestGateway.service(url, timeouts: timeouts, more: more) + Chaos.settings + Chaos.keeping
        try await TestGateway.run(yaml) { gateway in
            // Not a byte has left, so that a write is sent again too.
            for operation in [Chaos.Case.page, "CreateWatchlist"] {
                let reply = try await gateway.call(
                    operation, query(more: operation == Chaos.Case.page ? "" : ",\"Name\":\"n\""))
                #expect(reply.status == 500)
                #expect(reply.fields["x-amzn-errortype"] == "InternalServerException")
                #expect(!reply.text.contains("127.0.0.1") && !reply.text.contains("invalid"))
                #expect(["connect", "timeout"].contains { reply.fields["cache-status"] == "jobs-proxy; detail=\($0)" })
                let labels = "service=\"voice-id\",operation=\"\(operation)\""
                var count = 0.0
                for result in ["connect_error", "timeout"] {
                    count +=
                        try await gateway.metric("jobsproxy_upstream_attempts_total{\(labels),result=\"\(result)\"}")
                        ?? 0
                }
                #expect(count == Double(attempts))
            }
            #expect(gateway.assembly.gate.cache.figures.flights == 0)
        }
    }

    @Test("because its TLS handshake fails: three attempts, nothing sent", arguments: handshakes.indices)
    func tls(index: Int) async throws {
        let step = Self.handshakes[index].1
        let origin = try ScriptedOrigin(onAccept: { _ in step }, script: { _, _ in .close })
        defer { origin.stop() }
        try await expectNothingSent("https://127.0.0.1:\(origin.port)")
        #expect(origin.connectionCount == 6)
        #expect(origin.waitForOpenConnections(atMost: 0))
    }

    /// Origins that are not who they should be.
    enum Stranger: CaseIterable {
        case expired
        case otherName
        case otherAuthority
        case noAuthority
        case oldTLS
    }

    @Test("because of its certificate, or of a version of TLS that is none any more", arguments: Stranger.allCases)
    func certificate(stranger: Stranger) async throws {
        let own = try OriginCertificate(
            stranger == .otherName ? "DNS:other.example,IP:127.0.0.2" : "DNS:localhost", isExpired: stranger == .expired
        )
        let trusted = stranger == .otherAuthority ? try OriginCertificate() : own
        try await ScriptedOrigin.run({ _, _ in .reply(body: Chaos.page(0)) }) { origin in
            let front = try await SecureFront(
                origin: origin.port, own, newest: stranger == .oldTLS ? .tlsv11 : .tlsv13)
            try await expectNothingSent(
                front.url, more: stranger == .noAuthority ? "" : ", caBundle: \"\(trusted.certificate)\"")
            #expect(origin.requests.isEmpty)
            try await front.stop()
        }
    }

    @Test("because its name is not known")
    func name() async throws { try await expectNothingSent("http://does-not-exist.invalid") }

    @Test("because nobody is there")
    func refused() async throws {
        let (socket, port) = try listenOnLoopback()
        close(socket)
        try await expectNothingSent("http://127.0.0.1:\(port)")
    }
}
