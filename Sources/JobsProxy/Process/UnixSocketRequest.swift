internal import Glibc

/// One request over a Unix socket to a process of this machine, on the calling thread: libcurl's client here knows addresses only.
enum UnixSocketRequest {
    /// Asks by GET and reads the status of the answer.
    ///
    /// - Parameters:
    ///   - path: that of the socket's file; of the request it is `target`.
    ///   - seconds: how long each step may take: to connect, to send, to receive.
    /// - Returns: the status code.
    /// - Throws: `CommandFailure` with what went wrong.
    static func status(_ target: String, at path: String, seconds: Int) throws(CommandFailure) -> Int {
        let descriptor = try connect(to: Array(path.utf8), seconds: seconds)
        defer { close(descriptor) }
        let request = Array("GET /\(target) HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8)
        // Unsafe only in its pointer; the length is the array's.
        let sent = unsafe request.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == request.count else { throw failure() }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1024)
        // "HTTP/1.1 200 " has all that is wanted.
        while received.count < 13 {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { throw failure() }
            guard count > 0 else { throw CommandFailure("the connection has ended") }
            received += buffer.prefix(count)
        }
        let words = received.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard received.starts(with: Array("HTTP/1.".utf8)), words.count > 1,
            let status = Int(String(decoding: words[1], as: UTF8.self))
        else { throw CommandFailure("it does not speak HTTP") }
        return status
    }

    private static func connect(to path: [UInt8], seconds: Int) throws(CommandFailure) -> Int32 {
        var address = sockaddr_un()
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw CommandFailure("its path is too long")
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure() }
        // Unsafe only in the pointers of these calls, which the system does not keep.
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            var limit = timeval(tv_sec: seconds, tv_usec: 0)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let result = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe Glibc.connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let failure = failure()
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func failure() -> CommandFailure {
        CommandFailure(errno == EAGAIN ? "no answer in time" : unsafe String(cString: strerror(errno)))
    }
}
