internal import CCurl
internal import Locking

/// Ends a driver's `wait` from any thread, and does nothing once the driver is gone.
final class Waker: Sendable {
    /// The multi handle's address; 0 once the driver is about to free it. The lock is held over the call, so that the
    /// handle cannot go meanwhile; the call writes a byte to a socket pair and never blocks.
    private let address: Locked<UInt>

    init(address: UInt) {
        self.address = Locked(address)
    }

    /// The driver's `wait` returns at once, or the next one does if none is going on.
    func wake() {
        address.withLock { address in
            if let multi = unsafe OpaquePointer(bitPattern: address) { _ = unsafe curl_multi_wakeup(multi) }
        }
    }

    /// The driver is about to free the handle; another may have taken its place.
    func retire(for address: UInt = 0) {
        self.address.withLock { $0 = address }
    }
}
