import NIOCore
import Testing

@testable import HTTPFront

@Suite("A peer", .timeLimit(.minutes(1)))
struct PeerTests {
    @Test(
        "is on this machine if its address is a loopback one",
        arguments: [
            ("127.0.0.1", true), ("127.255.255.254", true), ("128.0.0.1", false), ("126.255.255.255", false),
            ("10.0.0.127", false), ("::1", true), ("::2", false), ("::", false), ("fe80::1", false),
            ("::ffff:127.0.0.1", true), ("::ffff:10.0.0.1", false), ("::127.0.0.1", false), ("1::1", false),
        ])
    func loopback(address: String, isLoopback: Bool) throws {
        #expect(try Peer(SocketAddress(ipAddress: address, port: 1)).isLoopback == isLoopback)
    }

    @Test("is on this machine if it came over a Unix socket, and is not if it has no address")
    func withoutAddress() throws {
        #expect(try Peer(SocketAddress(unixDomainSocketPath: "/run/socket")).isLoopback)
        #expect(!Peer(nil).isLoopback)
    }

    @Test("is told with every request, and has no identity without a certificate")
    func requests() async throws {
        try await withServer { server in
            let client = try await server.connect(from: "127.0.0.2")
            try await client.send(get("/peer") + get("/peer"))
            #expect(try await client.answer().content == "true -1")
            #expect(try await client.answer().content == "true -1")
        }
    }
}
