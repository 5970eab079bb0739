internal import Glibc

/// Ends a driver's `wait` from any thread, and does nothing once the driver is gone.
///
/// A pipe of its own: libcurl's costs a system call more for each wake-up, and a call has two of them to wait for.
final class Waker: Sendable {
    /// What the driver waits for.
    let descriptor: CInt
    private let end: CInt

    /// - Throws: `driverFault` if there are no descriptors.
    init() throws(CurlError) {
        var ends: (CInt, CInt) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &ends) { ends in
            unsafe pipe(ends.assumingMemoryBound(to: CInt.self).baseAddress)
        }
        guard result == 0 else { throw .driverFault }
        (descriptor, end) = ends
        for end in [descriptor, end] {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
    }

    deinit {
        _ = close(descriptor)
        _ = close(end)
    }

    /// The driver's `wait` returns at once, or the next one does if none is going on.
    func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes too.
        _ = unsafe write(end, &byte, 1)
    }

    /// Forgets the wake-ups so far.
    func reset() {
        var bytes: UInt64 = 0
        while unsafe read(descriptor, &bytes, MemoryLayout<UInt64>.size) == MemoryLayout<UInt64>.size {}
    }
}
