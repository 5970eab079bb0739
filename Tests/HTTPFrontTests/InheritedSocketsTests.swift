import Glibc
import Locking
import NIOCore
import Testing

@testable import HTTPFront

/// A listening socket on a loopback port of its own, as a parent process holds it.
final class ParentSocket: Sendable {
    let handle: Int32

    init(_ host: String = "127.0.0.1", listens: Bool = true) throws {
        let address = try SocketAddress(ipAddress: host, port: 0)
        handle = socket(host.contains(":") ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(address.withSockAddr { bind(handle, $0, socklen_t($1)) } == 0)
        if listens { #expect(listen(handle, 128) == 0) }
    }

    deinit { close(handle) }

    /// The port that the system has chosen.
    var port: Int {
        get throws {
            let sockets = try InheritedSockets(first: handle, processID: 1) {
                ["LISTEN_FDS": "1", "LISTEN_PID": "1"][$0]
            }
            return try #require(sockets.remaining.first?.port)
        }
    }

    /// Hands the socket over as this descriptor.
    func pass(as descriptor: Int32) { #expect(dup2(handle, descriptor) == descriptor) }

    /// A descriptor for one child.
    func pass() -> Int32 { dup(handle) }
}

@Suite("Inherited sockets", .timeLimit(.minutes(1)))
struct InheritedSocketsTests {
    private static func environment(_ count: String, process: Int32 = 42) -> (String) -> String? {
        { ["LISTEN_FDS": count, "LISTEN_PID": "\(process)"][$0] }
    }

    @Test("are handed out by their address, once")
    func take() throws {
        let one = try ParentSocket()
        let two = try ParentSocket("::1")
        one.pass(as: 700)
        two.pass(as: 701)
        // A parent need not know the process.
        #expect(try InheritedSockets(first: 700, processID: 42) { $0 == "LISTEN_FDS" ? "2" : nil }.remaining.count == 2)
        var sockets = try InheritedSockets(first: 700, processID: 42, Self.environment("2"))
        let addresses = sockets.remaining
        #expect(addresses.map(\.ipAddress) == ["127.0.0.1", "::1"])
        let port = try #require(addresses[0].port)
        #expect(sockets.take(host: "127.0.0.2", port: port) == nil)
        #expect(sockets.take(host: "127.0.0.1", port: port ^ 1) == nil)
        #expect(sockets.take(host: "127.0.0.1", port: port) == 700)
        #expect(sockets.take(host: "127.0.0.1", port: port) == nil)
        #expect(sockets.remaining.count == 1)
        #expect(sockets.take(host: "0:0::1", port: 0) == 701)
        #expect(sockets.remaining.isEmpty)
        for descriptor in 700...701 as ClosedRange<Int32> {
            #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
            close(descriptor)
        }
    }

    @Test("are none where none were given, or they were given to another process")
    func none() throws {
        #expect(try InheritedSockets { _ in nil }.remaining.isEmpty)
        #expect(try InheritedSockets(first: 710, processID: 41, Self.environment("1")).remaining.isEmpty)
        #expect(try InheritedSockets(first: 710, processID: 42, Self.environment("0")).remaining.isEmpty)
        #expect(InheritedSockets.environmentVariable("PATH") != nil)
        #expect(InheritedSockets.environmentVariable("NO_SUCH_VARIABLE") == nil)
    }

    @Test("that are no listening sockets are refused", arguments: ["1", "", "-1", "x", "1001", "99999999999"])
    func unusable(count: String) throws {
        try ParentSocket(listens: false).pass(as: 720)
        let expected =
            count == "1"
            ? "descriptor 720 of LISTEN_FDS is no listening TCP or Unix socket"
            : "LISTEN_FDS is '\(count)', which is no number of descriptors"
        #expect(throws: InheritedSockets.Failure(description: expected)) {
            try InheritedSockets(first: 720, processID: 42, Self.environment(count))
        }
        #expect(throws: InheritedSockets.Failure.self) {
            try InheritedSockets(first: 19_000, processID: 42, Self.environment("1"))
        }
        close(720)
    }

    @Test("serve one process after the other, and what comes in between waits")
    func successors() async throws {
        let parent = try ParentSocket()
        try await withServer(descriptor: parent.pass()) { server in
            let answer = try await server.answer(to: get("/1"))
            #expect(answer.content == "/1:")
        }
        let between = try await TestClient.connect(port: parent.port, from: "127.0.0.1", receiveBuffer: nil)
        try await between.send(get("/2"))
        try await withServer(descriptor: parent.pass()) { _ in
            let answer = try await between.answer()
            #expect(answer.content == "/2:")
        }
    }

    @Test("let a server be replaced under load without a request lost")
    func replacement() async throws {
        let parent = try ParentSocket()
        let load = Load()
        defer { load.stop() }
        try await withServer(descriptor: parent.pass()) { old in
            let clients = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<16 { group.addTask { try await load.run(port: old.port) } }
                    try await group.waitForAll()
                }
            }
            try await old.journal.wait("load") { load.answers > 200 }
            let end = Task { await old.server.shutDown(timeout: 10_000_000_000, grace: 5_000_000_000) }
            // One after the other: where two accept from one socket, NIO's debug builds stop when one finds nothing left.
            try await old.draining()
            try await withServer(descriptor: parent.pass()) { new in
                let before = load.answers
                try await new.journal.wait("load on the new server") { load.answers > before + 200 }
                load.stop()
                try await clients.value
                #expect(new.journal.answered > 0)
            }
            let isComplete = await end.value
            #expect(isComplete)
        }
        #expect(load.answers > 400)
    }
}

/// Clients that keep their connections for as long as they may.
private final class Load: Sendable {
    private let state = Locked((isOver: false, answers: 0))

    var answers: Int { state.withLock { $0.answers } }

    func stop() { state.withLock { $0.isOver = true } }

    /// Sends one request after the other, each of which must be answered.
    func run(port: Int) async throws {
        var kept: TestClient?
        var number = 0
        while !state.withLock({ $0.isOver }) {
            let client: TestClient
            if let kept {
                client = kept
            } else {
                client = try await TestClient.connect(port: port, from: "127.0.0.1", receiveBuffer: nil)
            }
            number += 1
            try await client.send(get("/\(number)"))
            let answer = try await client.answer()
            #expect(answer.content == "/\(number):")
            kept = answer["Connection"] == ["close"] ? nil : client
            state.withLock { $0.answers += 1 }
        }
    }
}
