import NIOSSL
import Testing

@testable import HTTPFront

@Suite("A handshake", .timeLimit(.minutes(1)))
struct HandshakeTests {
    @Test("tells the responder once whose certificate it was, and every request then has that identity")
    func identity() async throws {
        try await withSecureServer({ _ in }, { $0.clientCA = $1.certificate }) { secure in
            let pair = try await secure.certificates.client(
                "client", subject: "/O=Example/CN=dashboard", names: "URI:spiffe://example/d", by: secure.authority)
            let client = try await secure.connect(as: pair)
            try await client.send(get("/peer") + get("/peer"))
            #expect(try await client.answer().content == "true 22")
            #expect(try await client.answer().content == "true 22")
            let expected = PeerCertificate(names: [
                .subject("CN=dashboard,O=Example".utf8), .uri("spiffe://example/d".utf8),
            ])
            #expect(secure.server.journal.identified == [expected])
        }
    }

    @Test("leaves a client without a certificate unidentified where none is required")
    func optional() async throws {
        try await withSecureServer({ _ in }, { $0.clientCA = $1.certificate }) { secure in
            let client = try await secure.connect()
            try await client.send(get("/peer"))
            #expect(try await client.answer().content == "true -1")
            #expect(secure.server.journal.identified == [])
        }
    }

    @Test("that resumes a session keeps its identity", arguments: ["-tls1_2", "-tls1_3"])
    func resumed(version: String) async throws {
        try await withSecureServer({ _ in }, { $0.clientCA = $1.certificate }) { secure in
            let pair = try await secure.certificates.client("client", subject: "/CN=dashboard", by: secure.authority)
            let session = secure.certificates.path("session")
            let common = [
                "s_client", "-connect", "127.0.0.1:\(secure.server.port)", "-CAfile", secure.authority.certificate,
                "-cert", pair.certificate, "-key", pair.key, version, "-ign_eof",
            ]
            let request = get("/peer", "Connection: close\r\n")
            let first = try await TestCertificates.openssl(common + ["-sess_out", session], input: request)
            #expect(first.contains("\r\n\r\ntrue 12"))
            let second = try await TestCertificates.openssl(common + ["-sess_in", session], input: request)
            #expect(second.contains("Reused, TLS"))
            #expect(second.contains("\r\n\r\ntrue 12"))
        }
    }

    /// Expects that no request gets through, and that the handshake is counted as failed.
    private func expectRefused(_ secure: SecureServer, _ connect: () async throws -> SecureClient) async throws {
        await #expect(throws: (any Error).self) {
            // With TLS 1.3 a client learns only afterwards that its certificate was refused.
            let client = try await connect()
            try await client.send(get("/"))
            _ = try await client.answer()
        }
        try await secure.server.journal.wait("the failed handshake") {
            secure.server.journal.events.contains(.dropped(.handshake))
        }
        try await secure.server.empty()
        #expect(secure.server.journal.paths == [])
        #expect(secure.server.journal.events.count { $0 == .dropped(.handshake) } == 1)
    }

    @Test("refuses a client without a certificate where one is required", arguments: [TLSVersion.tlsv13, .tlsv12])
    func required(version: TLSVersion) async throws {
        func secure(_ settings: inout TLSSettings, _ authority: TestCertificates.Pair) {
            settings.clientCA = authority.certificate
            settings.requiresClientCertificate = true
        }
        try await withSecureServer({ _ in }, secure) { secure in
            let pair = try await secure.certificates.client("client", subject: "/CN=a", by: secure.authority)
            let client = try await secure.connect(as: pair) { $0.maximumTLSVersion = version }
            try await client.send(get("/peer", "Connection: close\r\n"))
            #expect(try await client.answer().content == "true 4")
            await client.close()
        }
        try await withSecureServer({ _ in }, secure) { secure in
            try await expectRefused(secure) { try await secure.connect { $0.maximumTLSVersion = version } }
        }
    }

    @Test("refuses a certificate that another authority has signed, though none is required", arguments: [true, false])
    func foreign(isSelfSigned: Bool) async throws {
        try await withSecureServer({ _ in }, { $0.clientCA = $1.certificate }) { secure in
            let other = try await secure.certificates.authority("other")
            let pair = try await secure.certificates.client("client", subject: "/CN=a", by: other)
            try await expectRefused(secure) { try await secure.connect(as: isSelfSigned ? other : pair) }
        }
    }

    @Test("refuses TLS 1.1 and what is older")
    func old() async throws {
        try await withSecureServer { secure in
            try await expectRefused(secure) {
                try await secure.connect {
                    $0.minimumTLSVersion = .tlsv1
                    $0.maximumTLSVersion = .tlsv11
                }
            }
        }
    }

    @Test("refuses ciphers without forward secrecy or authenticated encryption")
    func weak() async throws {
        try await withSecureServer { secure in
            try await expectRefused(secure) {
                try await secure.connect {
                    $0.maximumTLSVersion = .tlsv12
                    $0.cipherSuiteValues = [
                        .TLS_RSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
                    ]
                }
            }
        }
    }

    @Test("of a client that speaks no TLS ends the connection", arguments: [get("/"), "\u{16}\u{3}\u{1}\u{0}\u{1}x"])
    func plain(bytes: String) async throws {
        try await withSecureServer { secure in
            let client = try await secure.server.connect()
            try await client.send(bytes)
            _ = try await client.remainder()
            try await secure.server.empty()
            #expect(secure.server.journal.events.contains(.dropped(.handshake)))
            #expect(secure.server.journal.paths == [])
        }
    }

    @Test("has not failed where nothing has come, as when a load balancer looks at the port", arguments: [true, false])
    func portCheck(isReset: Bool) async throws {
        try await withSecureServer { secure in
            for _ in 0..<3 {
                let client = try await secure.server.connect()
                if isReset { client.reset() } else { client.close() }
            }
            let client = try await secure.connect()
            try await client.send(get("/peer", "Connection: close\r\n"))
            _ = try await client.answer()
            await client.close()
            try await secure.server.empty()
            #expect(secure.server.journal.dropped == [])
        }
    }

    @Test(
        "must be complete in the time that a head may take",
        arguments: [("", Refusal.headTimeout), ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .handshake)])
    func slow(bytes: String, reason: Refusal) async throws {
        try await withSecureServer({ $0.headTimeout = 300_000_000 }) { secure in
            let start = ContinuousClock.now
            let client = try await secure.server.connect()
            try await client.send(bytes)
            _ = try await client.remainder()
            #expect(ContinuousClock.now - start >= .milliseconds(300))
            try await secure.server.empty()
            #expect(secure.server.journal.dropped == [reason])
        }
    }
}
