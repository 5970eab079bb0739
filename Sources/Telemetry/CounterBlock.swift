internal import Synchronization

/// A fixed number of counters with **one writer** and any number of readers.
///
/// Each event loop and the upstream thread owns a block, so that counting costs a relaxed load and store on a cache line
/// that no other thread writes. A reader may see old counts, never torn ones. An index outside the block is ignored: a
/// counting mistake must not end the process.
@safe public final class CounterBlock: Sendable {
    /// Unused counters on each side: one cache line, so that no other thread writes to the lines of this block.
    private static let padding = 8

    /// The number of counters.
    public let count: Int

    // Unsafe because an Array cannot hold atomics. The memory is allocated here, never resized and freed in `deinit`, and
    // every access checks its index.
    private nonisolated(unsafe) let storage: UnsafeMutablePointer<Atomic<UInt64>>

    /// - Parameter count: the number of counters; a negative one counts as 0.
    public init(count: Int) {
        self.count = max(0, count)
        let total = self.count + 2 * Self.padding
        unsafe storage = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: total)
        for index in 0..<total { unsafe (storage + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe storage.deinitialize(count: count + 2 * Self.padding)
        unsafe storage.deallocate()
    }

    /// Adds `amount` to the counter at `index`, wrapping around. Only the owner of the block may call it.
    public func add(_ amount: UInt64 = 1, at index: Int) {
        guard index >= 0, index < count else { return }
        let old = unsafe storage[index + Self.padding].load(ordering: .relaxed)
        unsafe storage[index + Self.padding].store(old &+ amount, ordering: .relaxed)
    }

    /// The counter at `index`, 0 outside the block. Any thread may call it.
    public func value(at index: Int) -> UInt64 {
        guard index >= 0, index < count else { return 0 }
        return unsafe storage[index + Self.padding].load(ordering: .relaxed)
    }
}
