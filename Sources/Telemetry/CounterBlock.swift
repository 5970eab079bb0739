internal import Synchronization

/// A fixed number of counters with **one writer** and any number of readers.
///
/// Each event loop, and the upstream thread, owns a block of its own, so that counting costs a relaxed load and store on a
/// cache line nobody else writes. A reader may see counts that are a moment old, never torn ones. An index outside the
/// block is ignored: a counting mistake must not end the process.
@safe public final class CounterBlock: Sendable {
    /// Kept apart from the neighbours by at least a cache line on each side.
    private static let padding = 8

    public let count: Int

    // Unsafe because atomics cannot live in an Array; the memory is allocated here, never resized, freed in `deinit`, and
    // every access goes through the bounds check below.
    private nonisolated(unsafe) let storage: UnsafeMutablePointer<Atomic<UInt64>>

    /// - Parameter count: how many counters, at least 0.
    public init(count: Int) {
        self.count = max(0, count)
        let total = self.count + 2 * Self.padding
        unsafe storage = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: total)
        for index in 0..<total {
            unsafe (storage + index).initialize(to: Atomic(0))
        }
    }

    deinit {
        unsafe storage.deinitialize(count: count + 2 * Self.padding)
        unsafe storage.deallocate()
    }

    /// Adds `amount` to the counter at `index`. Only the owner of the block may call it.
    public func add(_ amount: UInt64 = 1, at index: Int) {
        guard index >= 0, index < count else { return }
        let old = unsafe storage[index + Self.padding].load(ordering: .relaxed)
        unsafe storage[index + Self.padding].store(old &+ amount, ordering: .relaxed)
    }

    /// The counter at `index` as last stored, 0 outside the block. Any thread may call it.
    public func value(at index: Int) -> UInt64 {
        guard index >= 0, index < count else { return 0 }
        return unsafe storage[index + Self.padding].load(ordering: .relaxed)
    }
}
