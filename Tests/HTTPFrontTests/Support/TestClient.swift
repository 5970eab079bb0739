import Glibc
import NIOCore
import NIOPosix

@testable import HTTPFront

/// A client on a plain socket, used by one test at a time. Each operation waits at most `Waiting.limit`.
final class TestClient: @unchecked Sendable {
    // `@unchecked` because: its operations are awaited one after the other.

    enum Failure: Error, Equatable {
        case system(String, Int32)
        /// The connection was reset by the server.
        case reset
        /// The connection ended in the middle of an answer.
        case ended(String)
        case malformed(String)
    }

    private let handle: Int32
    private var received: [UInt8] = []
    private var isOpen = true

    private init(handle: Int32) { self.handle = handle }

    deinit { if isOpen { Glibc.close(handle) } }

    static func connect(port: Int, from source: String, receiveBuffer: Int32?) async throws -> TestClient {
        try await Waiting.pool.runIfActive {
            let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard handle >= 0 else { throw Failure.system("socket", errno) }
            let client = TestClient(handle: handle)
            client.set(IPPROTO_TCP, TCP_NODELAY, Int32(1))
            if let receiveBuffer { client.set(SOL_SOCKET, SO_RCVBUF, receiveBuffer) }
            guard withAddress(source, 0, { bind(handle, $0, $1) }) == 0 else { throw Failure.system("bind", errno) }
            guard withAddress("127.0.0.1", port, { Glibc.connect(handle, $0, $1) }) == 0 else {
                throw Failure.system("connect", errno)
            }
            return client
        }
    }

    /// Connects to a Unix socket.
    static func connect(path: String) async throws -> TestClient {
        try await Waiting.pool.runIfActive {
            let handle = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            guard handle >= 0 else { throw Failure.system("socket", errno) }
            let client = TestClient(handle: handle)
            guard withUnixAddress(path, { Glibc.connect(handle, $0, $1) }) == 0 else {
                throw Failure.system("connect", errno)
            }
            return client
        }
    }

    func send(_ text: String) async throws { try await send(bytes(text)) }

    func send(_ bytes: [UInt8]) async throws {
        try await Waiting.pool.runIfActive { [self] in
            var sent = 0
            while sent < bytes.count {
                try wait(POLLOUT, "room to send")
                let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                let count = bytes[sent...].withUnsafeBytes { Glibc.send(handle, $0.baseAddress, $0.count, flags) }
                if count < 0, errno != EAGAIN { throw Failure.system("send", errno) }
                sent += max(count, 0)
            }
        }
    }

    /// The next answer.
    ///
    /// - Parameter toHead: whether the request was a HEAD, whose answer has no content whatever its length says.
    func answer(toHead: Bool = false) async throws -> Answer {
        try await Waiting.pool.runIfActive { [self] in
            while true {
                if let answer = try Answer.take(from: &received, toHead: toHead) { return answer }
                try receive("an answer")
            }
        }
    }

    /// What comes up to this text, and the text.
    func read(upTo end: String) async throws -> String {
        try await Waiting.pool.runIfActive { [self] in
            let end = Array(end.utf8)
            while true {
                if let found = received.firstRange(of: end) {
                    defer { received.removeFirst(found.upperBound) }
                    return HTTPFrontTests.text(received.prefix(found.upperBound))
                }
                try receive(HTTPFrontTests.text(end))
            }
        }
    }

    /// One frame of HTTP/2.
    func frame() async throws -> (type: UInt8, flags: UInt8, stream: UInt32, payload: [UInt8]) {
        try await Waiting.pool.runIfActive { [self] in
            while true {
                let head = received.prefix(9).map { UInt32($0) }
                if head.count == 9 {
                    let length = Int(head[0] << 16 | head[1] << 8 | head[2])
                    if received.count >= 9 + length {
                        let payload = Array(received[9..<9 + length])
                        received.removeFirst(9 + length)
                        let stream = head[5] << 24 | head[6] << 16 | head[7] << 8 | head[8]
                        return (UInt8(head[3]), UInt8(head[4]), stream, payload)
                    }
                }
                try receive("a frame")
            }
        }
    }

    /// What comes before the server ends the connection.
    func remainder() async throws -> String {
        try await Waiting.pool.runIfActive { [self] in
            do {
                while true { try receive("the end of the connection") }
            } catch Failure.ended {
                return text(received)
            }
        }
    }

    /// Reads at most so many bytes, and forgets them.
    ///
    /// - Returns: how many they were; 0 if the server has ended the connection.
    func skip(atMost count: Int) async throws -> Int {
        try await Waiting.pool.runIfActive { [self] in
            try wait(POLLIN, "bytes")
            var piece = [UInt8](repeating: 0, count: count)
            return max(0, recv(handle, &piece, count, Int32(MSG_DONTWAIT)))
        }
    }

    /// Whether bytes, or the end of the connection, arrive within so many milliseconds.
    func hears(within milliseconds: Int32) async throws -> Bool {
        try await Waiting.pool.runIfActive { [self] in
            var descriptor = pollfd(fd: handle, events: Int16(POLLIN), revents: 0)
            return poll(&descriptor, 1, milliseconds) > 0
        }
    }

    /// Says that no more requests come.
    func closeWriting() { shutdown(handle, Int32(SHUT_WR)) }

    func close() {
        isOpen = false
        Glibc.close(handle)
    }

    /// Ends the connection so that the server is told at once.
    func reset() {
        set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        close()
    }

    // MARK: Socket

    private func receive(_ what: String) throws {
        try wait(POLLIN, what)
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(handle, &piece, piece.count, Int32(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN { return }
        if count < 0 { throw errno == ECONNRESET ? Failure.reset : Failure.system("recv", errno) }
        if count == 0 { throw Failure.ended(what) }
        received += piece.prefix(count)
    }

    private func wait(_ event: Int32, _ what: String) throws {
        var descriptor = pollfd(fd: handle, events: Int16(event), revents: 0)
        guard poll(&descriptor, 1, Int32(Waiting.limit * 1000)) > 0 else { throw Waiting.Expired(what: what) }
    }

    private func set(_ level: some BinaryInteger, _ option: Int32, _ value: some BitwiseCopyable) {
        _ = withUnsafeBytes(of: value) { setsockopt(handle, Int32(level), option, $0.baseAddress, socklen_t($0.count)) }
    }

    /// The bytes of a Unix socket's address (sockaddr_un): the family, the path and a zero.
    static func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        ([UInt8(AF_UNIX), 0] + Array(path.utf8) + [0]).withUnsafeBytes { bytes in
            bytes.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) } ?? -1
        }
    }

    private static func withAddress(
        _ host: String, _ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        guard let address = try? SocketAddress(ipAddress: host, port: port) else { return -1 }
        return address.withSockAddr { body($0, socklen_t($1)) }
    }
}
