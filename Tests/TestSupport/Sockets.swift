import Glibc

/// A lock with which one can wait for a condition.
package final class Monitor {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    package func change<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return body()
    }

    /// Whether the condition came true within that time.
    package func wait(seconds: Int, until condition: () -> Bool) -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_sec += seconds
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition() {
            guard pthread_cond_timedwait(changed, mutex, &end) == 0 else { return condition() }
        }
        return true
    }
}

package struct SocketError: Error {
    package let code = errno
}

/// A listening socket on a loopback port.
///
/// - Parameters:
///   - backlog: how many connections may wait to be accepted.
///   - port: 0 for a free one.
package func listenOnLoopback(isIPv6: Bool = false, backlog: Int32 = 512, port: UInt16 = 0) throws -> (
    socket: Int32, port: UInt16
) {
    let family = isIPv6 ? AF_INET6 : AF_INET
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError() }
    var address = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutableBytes(of: &address) { bytes in
        if isIPv6 {
            bytes.storeBytes(
                of: sockaddr_in6(
                    sin6_family: sa_family_t(family), sin6_port: port.bigEndian, sin6_flowinfo: 0,
                    sin6_addr: in6addr_loopback,
                    sin6_scope_id: 0), as: sockaddr_in6.self)
        } else {
            size = socklen_t(MemoryLayout<sockaddr_in>.size)
            var four = sockaddr_in()
            four.sin_family = sa_family_t(family)
            four.sin_port = port.bigEndian
            four.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
            bytes.storeBytes(of: four, as: sockaddr_in.self)
        }
    }
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 && listen(descriptor, backlog) == 0
                && getsockname(descriptor, $0, &size) == 0
        }
    }
    guard isBound else {
        defer { close(descriptor) }
        throw SocketError()
    }
    // The port lies at the same place in both families.
    let port = withUnsafeBytes(of: &address) { $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self) }
    return (descriptor, UInt16(bigEndian: port))
}

/// Runs `body` on a thread of its own.
package func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { box in
            guard let box else { return nil }
            Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    if code == 0 { pthread_detach(thread) }
}
