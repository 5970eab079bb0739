internal import Glibc

/// Tells systemd, or another that has started the process, of its state: sd_notify(3), without libsystemd.
struct NotifySocket: Sendable {
    private let path: [UInt8]

    /// `nil` if nobody wants to be told.
    ///
    /// - Parameter environment: `NOTIFY_SOCKET` is a path, or behind an `@` a name in the kernel's own name space (unix(7)).
    init?(_ environment: [String: String]) {
        guard var path = environment["NOTIFY_SOCKET"].map({ Array($0.utf8) }), path.count > 1,
            path.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        else { return nil }
        guard path[0] == UInt8(ascii: "/") || path[0] == UInt8(ascii: "@") else { return nil }
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        self.path = path
    }

    /// Sends assignments, such as `READY=1`, one a line. Waits a second at most; what cannot be sent is lost.
    ///
    /// - Returns: true if they were sent.
    @discardableResult
    func send(_ state: String) -> Bool {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        // Unsafe only in the pointers of these calls, which the system does not keep.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        // A path ends with a zero byte, a name of the kernel's with its length.
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2
        let size = socklen_t(length + path.count + (path[0] == 0 ? 0 : 1))
        let bytes = Array(state.utf8)
        let sent = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, size)
            }
        }
        return sent == bytes.count
    }

    /// `RELOADING=1` with the time that belongs to it.
    func sendReloading() {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        send("RELOADING=1\nMONOTONIC_USEC=\(Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)")
    }
}
