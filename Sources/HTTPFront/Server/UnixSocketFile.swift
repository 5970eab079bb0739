internal import Glibc
internal import NIOCore

/// The file of a listening Unix socket.
enum UnixSocketFile {
    /// Removes the file of a socket that nobody listens on: the process that made it has ended without removing it.
    ///
    /// - Throws: `IOError` with `EADDRINUSE` if somebody listens there, with `ENOTSOCK` if it is no socket.
    static func makeRoom(at path: String) throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw IOError(errnoCode: ENOTSOCK, reason: "bind") }
        guard !isServed(path) else { throw IOError(errnoCode: EADDRINUSE, reason: "bind") }
        remove(path)
    }

    // Unsafe only in the pointers to the paths, which live as long as the calls.

    static func permit(_ mode: UInt32, at path: String) throws {
        guard unsafe chmod(path, mode) == 0 else { throw IOError(errnoCode: errno, reason: "chmod") }
    }

    static func remove(_ path: String) { _ = unsafe unlink(path) }

    /// Returns false only if it is certain that nobody listens.
    private static func isServed(_ path: String) -> Bool {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        // Unsafe only in that the address (sockaddr_un) is passed as its bytes: the family, the path and a zero.
        let path = Array(path.utf8)
        guard path.count < 108 else { return false }
        let address = [UInt8(AF_UNIX), 0] + path + [0]
        let isConnected = unsafe address.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe connect(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
        }
        return isConnected || errno != ECONNREFUSED
    }
}
