import NIOSSL
import Testing

@testable import HTTPFront

/// A server with certificates, and those of its authority.
struct SecureServer: Sendable {
    let server: TestServer
    let certificates: TestCertificates
    let authority: TestCertificates.Pair

    func connect(
        as pair: TestCertificates.Pair? = nil, _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> SecureClient {
        try await SecureClient.connect(port: server.port, trusting: authority, as: pair, change)
    }
}

func withSecureServer(
    _ change: (inout HTTPLimits) -> Void = { _ in },
    _ secure: (inout TLSSettings, TestCertificates.Pair) -> Void = { _, _ in },
    report: @escaping @Sendable (Result<Void, TLSError>) -> Void = { _ in },
    _ body: @Sendable (SecureServer) async throws -> Void
) async throws {
    let (certificates, authority, pair) = try await TestCertificates.copy()
    var settings = TLSSettings(certificate: pair.certificate, key: pair.key)
    secure(&settings, authority)
    try await withServer(change, tls: settings, report: report) { server in
        try await body(SecureServer(server: server, certificates: certificates, authority: authority))
    }
}

@Suite("A secure connection", .timeLimit(.minutes(1)))
struct SecureConnectionTests {
    @Test("carries requests and answers like a plain one, by TLS 1.3 and 1.2", arguments: [TLSVersion.tlsv13, .tlsv12])
    func requests(version: TLSVersion) async throws {
        try await withSecureServer { secure in
            let client = try await secure.connect { $0.maximumTLSVersion = version }
            try await client.send(get("/1") + post("Content-Length: 2\r\n", "hi") + get("/later"))
            #expect(try await client.answer().content == "/1:")
            #expect(try await client.answer().content == "/:hi")
            let waiter = try await secure.server.journal.waiter("/later")
            #expect(try await secure.server.answer(waiter, "late"))
            #expect(try await client.answer().content == "late")
            try await client.send(get("/peer"))
            #expect(try await client.answer().content == "true -1")
            await client.close()
            try await secure.server.empty()
            #expect(secure.server.journal.events.allSatisfy { if case .dropped = $0 { false } else { true } })
        }
    }

    @Test("agrees on HTTP/1.1 with a client that offers nothing better, and on nothing with one that offers neither")
    func negotiation() async throws {
        try await withSecureServer { secure in
            let client = try await secure.connect { $0.applicationProtocols = ["spdy/1", "http/1.1"] }
            #expect(try await client.protocolName == "http/1.1")
            let other = try await secure.connect { $0.applicationProtocols = ["spdy/1"] }
            #expect(try await other.protocolName == "")
        }
    }

    @Test("ends with a closing alert, after the last answer or when idle", arguments: [true, false])
    func closing(isAsked: Bool) async throws {
        try await withSecureServer({ $0.idleTimeout = 300_000_000 }) { secure in
            let client = try await secure.connect()
            try await client.send(get("/1", isAsked ? "Connection: close\r\n" : ""))
            #expect(try await client.answer().status == 200)
            #expect(try await client.remainder() == "")
            await client.close()
            try await secure.server.empty()
        }
    }

    @Test("whose client closes its side answers all that was asked, then ends")
    func halfClosing() async throws {
        try await withSecureServer { secure in
            let client = try await secure.connect()
            try await client.send(get("/0") + get("/later") + get("/2"))
            try await client.closeWriting()
            let waiter = try await secure.server.journal.waiter("/later")
            try await secure.server.journal.wait(ticks: 1)
            #expect(try await secure.server.answer(waiter, "one"))
            #expect(try await client.answer().content == "/0:")
            #expect(try await client.answer().content == "one")
            #expect(try await client.answer().content == "/2:")
            #expect(try await client.remainder() == "")
            try await secure.server.empty()
        }
    }

    @Test("gives all of a large answer to a client that reads late", arguments: ["", "Connection: close\r\n"])
    func large(fields: String) async throws {
        try await withSecureServer { secure in
            let client = try await secure.connect()
            try await client.setReading(false)
            let size = 16 << 20
            try await client.send(get("/large/\(size)", fields) + get("/behind"))
            try await secure.server.journal.wait("the answer") { secure.server.journal.answered >= 1 }
            try await secure.server.journal.wait(ticks: 2)
            #expect(!secure.server.journal.paths.contains("/behind"))
            try await client.setReading(true)
            #expect(try await client.answer().contentBytes.count == size)
            if fields.isEmpty {
                #expect(try await client.answer().content == "/behind:")
            } else {
                #expect(try await client.remainder() == "")
            }
        }
    }

    @Test("that is refused gets its answer and a clean end")
    func refused() async throws {
        try await withSecureServer { secure in
            let client = try await secure.connect()
            try await client.send("nonsense\r\n\r\n" + get("/behind"))
            #expect(try await client.answer().status == 400)
            #expect(try await client.remainder() == "")
            await client.close()
            try await secure.server.empty()
        }
    }

    @Test("is closed when the server shuts down, after the answers that are outstanding")
    func shutDown() async throws {
        try await withSecureServer { secure in
            let idle = try await secure.connect()
            let busy = try await secure.connect()
            try await busy.send(get("/later"))
            let waiter = try await secure.server.journal.waiter("/later")
            async let isComplete = secure.server.server.shutDown(timeout: 10_000_000_000)
            try await secure.server.draining()
            #expect(try await idle.remainder() == "")
            #expect(try await secure.server.answer(waiter, "late"))
            let answer = try await busy.answer()
            #expect(answer.content == "late")
            #expect(answer["Connection"] == ["close"])
            #expect(try await busy.remainder() == "")
            await idle.close()
            await busy.close()
            #expect(await isComplete)
        }
    }
}
