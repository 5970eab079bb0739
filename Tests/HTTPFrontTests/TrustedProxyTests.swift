import Foundation
import Glibc
import NIOCore
import NIOPosix
import Primitives
import Testing

@testable import HTTPFront

@Suite("A trusted proxy", .timeLimit(.minutes(1)))
struct TrustedProxyTests {
    private static let networks = ["127.0.0.1", "10.0.0.0/8"].compactMap { IPNetwork($0) }
    private static let line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"

    private func withProxy(
        _ change: (inout HTTPLimits) -> Void = { _ in }, tls: TLSSettings? = nil,
        _ body: @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await withServer(
            {
                $0.trustedProxies = TrustedProxies(Self.networks)
                change(&$0)
            }, tls: tls, body)
    }

    @Test("tells whose connection it hands on, for all of its requests")
    func connection() async throws {
        try await withProxy { server in
            let client = try await server.connect()
            try await client.send(Self.line + get("/client"))
            #expect(try await client.answer().content == "192.0.2.1")
            try await client.send(get("/peer"))
            #expect(try await client.answer().content == "false -1")
        }
    }

    @Test("on this machine may tell that its client is there too, for the connection alone")
    func loopback() async throws {
        try await withProxy { server in
            let client = try await server.connect()
            try await client.send("PROXY TCP4 127.0.0.9 127.0.0.1 5000 443\r\n" + get("/peer"))
            #expect(try await client.answer().content == "true -1")
            let other = try await server.connect()
            try await other.send(get("/peer", "X-Forwarded-For: 127.0.0.9\r\n"))
            #expect(try await other.answer().content == "false -1")
        }
    }

    @Test("may send its header in pieces, and the request after it")
    func pieces() async throws {
        try await withProxy { server in
            let client = try await server.connect()
            for byte in Self.line.utf8 { try await client.send(String(UnicodeScalar(byte))) }
            try await client.send(get("/client"))
            #expect(try await client.answer().content == "192.0.2.1")
        }
    }

    @Test("need not send a header")
    func noHeader() async throws {
        try await withProxy { server in
            let answer = try await server.answer(to: get("/client"))
            #expect(answer.content == "127.0.0.1")
        }
    }

    @Test("is not heard where it is not listed, and its header is no request")
    func stranger() async throws {
        try await withProxy { server in
            let client = try await server.connect(from: "127.0.0.2")
            try await client.send(Self.line + get("/client"))
            #expect(try await client.answer().status == 400)
            let other = try await server.connect(from: "127.0.0.2")
            try await other.send(get("/client", "X-Forwarded-For: 192.0.2.9\r\n"))
            #expect(try await other.answer().content == "127.0.0.2")
        }
    }

    @Test("is cut off when its header is malformed")
    func malformed() async throws {
        try await withProxy { server in
            let client = try await server.connect()
            try await client.send("PROXY TCP4 nobody knows\r\n")
            try await server.journal.wait("the fault") { server.journal.dropped == [.proxyHeader] }
            try await server.empty()
        }
    }

    @Test("tells whose request it forwards: the last address that is none of a proxy")
    func requests() async throws {
        try await withProxy { server in
            let client = try await server.connect()
            let cases = [
                ("192.0.2.9", "192.0.2.9"), ("127.0.0.1, 192.0.2.9, 10.1.1.1", "192.0.2.9"),
                ("10.1.1.1", "10.1.1.1"), ("192.0.2.9, nonsense", "127.0.0.1"),
                ("[2001:db8::1]:443", "2001:db8::1"),
                ("192.0.2.9:5000", "192.0.2.9"), ("::ffff:192.0.2.9", "192.0.2.9"), ("", "127.0.0.1"),
            ]
            for (value, content) in cases {
                try await client.send(get("/client", "X-Forwarded-For: \(value)\r\n"))
                #expect(try await client.answer().content == content)
            }
            // The next request has no such field, and is the proxy's own.
            try await client.send(get("/client"))
            #expect(try await client.answer().content == "127.0.0.1")
        }
    }

    @Test("counts its clients' connections as theirs")
    func limits() async throws {
        try await withProxy({ $0.maxConnectionsPerPeer = 1 }) { server in
            let first = try await server.connect()
            try await first.send(Self.line + get("/client"))
            #expect(try await first.answer().status == 200)
            let second = try await server.connect()
            try await second.send(Self.line + get("/client"))
            #expect(try await second.answer().status == 503)
            let other = try await server.connect()
            try await other.send("PROXY TCP4 192.0.2.2 198.51.100.7 56324 443\r\n" + get("/client"))
            #expect(try await other.answer().status == 200)
        }
    }

    @Test("may be whoever connects by a Unix socket, which has its file for as long as it is served")
    func unixSocket() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let path = NSTemporaryDirectory() + "front-\(UUID().uuidString.prefix(8))"
        var limits = HTTPLimits()
        limits.trustedProxies = TrustedProxies(trustsUnixSockets: true)
        let frozen = limits
        func makeServer() async throws -> Server<TestResponder> {
            try await Server<TestResponder>(
                group: group, limits: frozen, wallClock: { WallInstant(seconds: 1_700_000_000) }
            ) {
                TestResponder(journal: Journal(), loop: $0)
            }
        }
        let server = try await makeServer()
        _ = try await server.listen(path: path, mode: 0o600)
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let client = try await TestClient.connect(path: path)
        try await client.send(get("/peer") + get("/client", "X-Forwarded-For: 192.0.2.9\r\n"))
        #expect(try await client.answer().content == "true -1")
        #expect(try await client.answer().content == "192.0.2.9")
        // Who listens is not driven out.
        let rival = try await makeServer()
        await #expect(throws: IOError.self) { try await rival.listen(path: path) }
        await server.shutDown(timeout: 0)
        #expect(lstat(path, &status) != 0)
        // A socket that was left behind is replaced, any other file is not.
        let left = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #expect(TestClient.withUnixAddress(path) { bind(left, $0, $1) } == 0)
        close(left)
        #expect(lstat(path, &status) == 0)
        _ = try await rival.listen(path: path)
        await rival.shutDown(timeout: 0)
        try Data().write(to: URL(fileURLWithPath: path))
        let last = try await makeServer()
        await #expect(throws: IOError.self) { try await last.listen(path: path) }
        await last.shutDown(timeout: 0)
        try FileManager.default.removeItem(atPath: path)
        try await group.shutdownGracefully()
    }
}
