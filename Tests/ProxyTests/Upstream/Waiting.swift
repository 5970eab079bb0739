import Dispatch
import Synchronization

/// Holds threads until it is opened, or for ten seconds.
final class Latch: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { semaphore.signal() }

    /// Blocks the thread.
    func wait() {
        _ = semaphore.wait(timeout: .now() + 10)
        // For the next who waits.
        semaphore.signal()
    }
}

/// Whether the condition comes true within ten seconds.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while try await !condition() {
        guard ContinuousClock.now < end else { return false }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// A flag that any thread may read and change.
final class LockedFlag: Sendable {
    private let flag = Mutex(false)

    var value: Bool {
        get { flag.withLock { $0 } }
        set { flag.withLock { $0 = newValue } }
    }
}
