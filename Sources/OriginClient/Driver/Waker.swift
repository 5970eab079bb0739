internal import Glibc

/// Ends a driver's `wait` from any thread. It has no effect once the driver is gone.
///
/// A pair of sockets of its own, because libcurl's takes one more system call for each wake-up.
package final class Waker: Sendable {
    /// The socket that the driver polls.
    let descriptor: CInt
    private let end: CInt

    /// - Throws: `driverFault` if there are no descriptors.
    init() throws(CurlError) {
        var ends: (CInt, CInt) = (-1, -1)
        // `pipe` would need a second call to set these, and a process that another thread starts in between would inherit the descriptors.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let result = unsafe withUnsafeMutableBytes(of: &ends) { ends in
            unsafe socketpair(AF_UNIX, type, 0, ends.assumingMemoryBound(to: CInt.self).baseAddress)
        }
        guard result == 0 else { throw .driverFault }
        (descriptor, end) = ends
    }

    deinit {
        _ = close(descriptor)
        _ = close(end)
    }

    /// The driver's `wait` returns at once, or the next one does if none is going on.
    package func wake() {
        var byte: UInt8 = 1
        // If the buffer is full, the driver wakes all the same.
        _ = unsafe write(end, &byte, 1)
    }

    /// Forgets the wake-ups so far.
    func reset() {
        var bytes: UInt64 = 0
        while unsafe read(descriptor, &bytes, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size {}
    }
}
