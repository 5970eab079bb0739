internal import Glibc

/// Ends a driver's `wait` from any thread. Once the driver is gone it wakes nobody.
///
/// A pair of sockets of its own, for libcurl's takes one system call more for each wake-up.
package final class Waker: Sendable {
    /// What the driver waits for.
    let descriptor: CInt
    private let end: CInt

    /// - Throws: `driverFault` if there are no descriptors.
    init() throws(CurlError) {
        var ends: (CInt, CInt) = (-1, -1)
        // At once what `pipe` would have to be told afterwards, when another thread may have begun a process.
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
        // What is full wakes too.
        _ = unsafe write(end, &byte, 1)
    }

    /// Forgets the wake-ups so far.
    func reset() {
        var bytes: UInt64 = 0
        while unsafe read(descriptor, &bytes, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size {}
    }
}
