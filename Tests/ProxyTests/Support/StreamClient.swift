import Glibc
import TestSupport

/// A client on a plain socket that reads an answer as it comes. Each operation waits ten seconds at the most, on a thread of its own.
final class StreamClient: @unchecked Sendable {
    // `@unchecked` because: its operations are awaited one after the other.

    struct Failure: Error { let received: String }

    private let descriptor: Int32
    private var received: [UInt8] = []
    private var isOpen = true

    /// - Parameter receiveBuffer: the size of the kernel's buffer; its own choice if nil.
    init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var time = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure(received: "no connection") }
    }

    deinit { close() }

    func close() {
        if isOpen { Glibc.close(descriptor) }
        isOpen = false
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Calls an operation of CloudWatch Logs.
    func call(_ operation: String, _ body: String) {
        send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1\r\n"
                + "X-Amz-Target: Logs_20140328.\(operation)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    /// What comes up to this text, and the text.
    func text(upTo end: String) async throws -> String {
        try await onThread { [self] in
            let end = Array(end.utf8)
            while true {
                if let found = received.firstRange(of: end) {
                    defer { received.removeFirst(found.upperBound) }
                    return String(decoding: received.prefix(found.upperBound), as: UTF8.self)
                }
                guard try receive() else { throw Failure(received: String(decoding: received, as: UTF8.self)) }
            }
        }
    }

    /// What comes before the gateway ends the connection, by whatever means.
    func remainder() async throws -> String {
        try await onThread { [self] in
            while try receive() {}
            return String(decoding: received, as: UTF8.self)
        }
    }

    /// Reads and forgets so many bytes, and sets the flag then.
    ///
    /// - Returns: how many came before the connection ended.
    func skip(_ count: Int, _ isRead: LockedFlag) async throws -> Int {
        try await onThread { [self] in
            defer { isRead.value = true }
            var read = received.count
            received = []
            while read < count, try receive() {
                read += received.count
                received.removeAll(keepingCapacity: true)
            }
            return read
        }
    }

    private func receive() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        if count < 0, errno == EAGAIN { throw Failure(received: String(decoding: received, as: UTF8.self)) }
        received += piece.prefix(max(0, count))
        return count > 0
    }
}

/// Runs what blocks on a thread of its own.
private func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        startThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}
