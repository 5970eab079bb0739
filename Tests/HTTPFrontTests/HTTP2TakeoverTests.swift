import Glibc
import NIOPosix
import Testing

@testable import HTTPFront

@Suite("The switch to HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2TakeoverTests {
    private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// The switch writes the server's settings; that fails, and NIO reads what is left in the midst of it.
    @Test(
        "survives a client that resets its connection right behind the preface",
        arguments: [0, 1, 900, 1000, 1024, 2048, 4096, 65_536])
    func reset(behind count: Int) async throws {
        try await withServer { server in
            for attempt in 1...8 {
                try await server.holding {
                    let client = try await server.connect()
                    try await client.send(Self.preface + String(repeating: "\0", count: count))
                    client.reset()
                }
                try await server.empty()
                #expect(try await server.answer(to: get("/alive/\(attempt)")).content == "/alive/\(attempt):")
            }
            #expect(server.server.limiter.total == 0 || server.server.limiter.total == 1)
        }
    }

    @Test("survives a client that ends its side right behind the preface")
    func halfClose() async throws {
        try await withServer { server in
            try await server.holding {
                let client = try await server.connect()
                try await client.send(Self.preface)
                client.closeWriting()
                client.close()
            }
            try await server.empty()
            #expect(try await server.answer(to: get("/alive")).content == "/alive:")
        }
    }

    @Test("loses nothing of what comes with the preface or right after it", arguments: [0, 1, 10, 23, 24, 25, 40])
    func pieces(_ count: Int) async throws {
        try await withServer { server in
            let client = try await server.connect()
            // Settings, and a ping that is answered with the same eight bytes.
            let start =
                bytes(Self.preface) + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 8, 6, 0, 0, 0, 0, 0] + bytes("pingpong")
            try await client.send(Array(start.prefix(count)))
            try await server.journal.wait(ticks: 1)
            try await client.send(Array(start.dropFirst(count)))
            var payload: [UInt8] = []
            while payload.isEmpty {
                let frame = try await client.frame()
                if frame.type == 6 { payload = frame.payload }
            }
            #expect(payload == bytes("pingpong"))
        }
    }
}

@Suite("Sockets of accepted connections", .timeLimit(.minutes(1)))
struct AcceptedSocketTests {
    /// Without it small answers wait for the client's acknowledgement of those before (Nagle's algorithm, RFC 896).
    @Test("send small answers at once")
    func noDelay() async throws {
        try await withServer { server in
            let client = try await server.connect()
            try await client.send(get("/"))
            _ = try await client.answer()
            let options = (0..<1024).compactMap { option(TCP_NODELAY, ofConnectionTo: server.port, descriptor: $0) }
            #expect(options == [1])
            client.close()
        }
    }

    /// An option of a descriptor if it is a connection that the server on `port` has accepted.
    private func option(_ option: Int32, ofConnectionTo port: Int, descriptor: Int32) -> Int32? {
        // A sockaddr_in as its bytes: the family, and the port in network order.
        var address = [UInt8](repeating: 0, count: 128)
        var size = socklen_t(address.count)
        let isBound = address.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { getsockname(descriptor, $0.assumingMemoryBound(to: sockaddr.self), &size) == 0 }
                ?? false
        }
        guard isBound, address[0] == UInt8(AF_INET), Int(address[2]) << 8 | Int(address[3]) == port else { return nil }
        var accepts: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0, accepts == 0 else {
            return nil
        }
        var value: Int32 = -1
        return getsockopt(descriptor, Int32(IPPROTO_TCP), option, &value, &length) == 0 ? value : nil
    }
}
