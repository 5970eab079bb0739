import Glibc
import TestSupport

@testable import Redis

/// A server on a free loopback port that does what a test says. It is made of blocking sockets with a thread each. It has to be stopped.
final class FakeRedis: @unchecked Sendable {
    // `@unchecked` because: the state is touched only under `monitor`; the rest does not change.

    /// One connection.
    struct Peer {
        let socket: Int32
        /// Counted from 0.
        let number: Int
        private var reader = RESPReader()
        private var pending: [UInt8] = []

        init(socket: Int32, number: Int) {
            self.socket = socket
            self.number = number
        }

        /// The words of the next command; `nil` at the end of the connection.
        mutating func command() -> [String]? {
            while true {
                var position = 0
                let bytes = pending
                let reply = try? reader.read(bytes.span, &position)
                pending.removeFirst(position)
                if let words = reply?.array?.compactMap(\.text) { return words }
                var piece = [UInt8](repeating: 0, count: 16 * 1024)
                let count = recv(socket, &piece, piece.count, 0)
                guard count > 0 else { return nil }
                pending += piece[..<count]
            }
        }

        @discardableResult
        func send(_ text: String) -> Bool {
            ScriptedConnection(socket: socket, number: number).send(Array(text.utf8)[...])
        }

        /// Answers as a server does what a client asks before its connection is in use.
        ///
        /// - Returns: false if the connection ended.
        mutating func greet(as role: String = "master") -> Bool {
            while let words = command() {
                guard words[0] == "ROLE" else {
                    send("+OK\r\n")
                    continue
                }
                return send("*3\r\n$\(role.utf8.count)\r\n\(role)\r\n:0\r\n*0\r\n")
            }
            return false
        }

        /// Reads until the client closes the connection.
        mutating func waitForEnd() { while command() != nil {} }
    }

    let port: UInt16
    private let listener: Int32
    private let script: @Sendable (inout Peer) -> Void
    private let monitor = Monitor()
    private var open: Set<Int32> = []
    private var connections = 0
    private var ended = 0
    private var threads = 0
    private var isStopped = false

    /// - Parameter script: what is done to a connection, which is closed afterwards.
    init(_ script: @escaping @Sendable (inout Peer) -> Void) throws {
        (listener, port) = try listenOnLoopback()
        self.script = script
        spawn { $0.acceptAll() }
    }

    var url: String { "redis://127.0.0.1:\(port)" }
    var connectionCount: Int { monitor.change { connections } }

    /// Returns true when so many connections have ended, and false after 10 seconds.
    func waitForEnds(_ count: Int) -> Bool { monitor.wait(seconds: 10) { ended >= count } }
    func waitForConnections(_ count: Int) -> Bool { monitor.wait(seconds: 10) { connections >= count } }

    func stop() {
        monitor.change {
            guard !isStopped else { return }
            isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for socket in open { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        _ = monitor.wait(seconds: 10) { threads == 0 }
    }

    private func spawn(_ body: @escaping @Sendable (FakeRedis) -> Void) {
        monitor.change { threads += 1 }
        startThread {
            body(self)
            self.monitor.change { self.threads -= 1 }
        }
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else {
                if monitor.change({ isStopped }) || errno != EINTR { return }
                continue
            }
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout.size(ofValue: on)))
            let number: Int? = monitor.change {
                guard !isStopped else { return nil }
                open.insert(socket)
                connections += 1
                return connections - 1
            }
            guard let number else {
                close(socket)
                continue
            }
            spawn { fake in
                var peer = Peer(socket: socket, number: number)
                fake.script(&peer)
                fake.monitor.change {
                    fake.open.remove(socket)
                    fake.ended += 1
                    close(socket)
                }
            }
        }
    }
}
