internal import Locking
internal import Synchronization
internal import Primitives

/// Counts the bytes of unsent answers that all connections of a server hold: copies in full, and each large content that they refer to
/// once, whatever the number of its readers.
///
/// A content counts although the cache may hold it too, because the cache may drop it at any time.
final class UnsentLedger: Sendable {
    private struct Content {
        let bytes: Int
        var readers: Int
    }

    /// `.max` for no limit.
    let maxBytes: Int
    private let copied = Atomic<Int>(0)
    private let referred = Atomic<Int>(0)
    /// Keyed by the address of the first byte, which is unique while a connection refers to the content.
    private let contents = Locked<[UInt: Content]>([:])
    /// The event loops, by their number here.
    private let loops = Locked<[LoopEntry]>([])

    private struct LoopEntry {
        /// The earliest time since which a client of the loop has read nothing, `.distantFuture` if every client reads.
        var oldest = MonotonicInstant.distantFuture
        let relieve: @Sendable () -> Void
    }

    /// - Parameter maxBytes: the limit, above which connections are closed; 0 for no limit.
    init(maxBytes: Int) { self.maxBytes = maxBytes > 0 ? maxBytes : .max }

    var total: Int { copied.load(ordering: .relaxed) + referred.load(ordering: .relaxed) }

    var isOver: Bool { total > maxBytes }

    /// Adds `count`, which may be negative, to the bytes held as copies.
    func addCopied(_ count: Int) { copied.wrappingAdd(count, ordering: .relaxed) }

    /// Counts one more connection or stream that refers to a content, once.
    func retain(_ content: inout LargeContent) {
        guard !content.isCounted else { return }
        content.isCounted = true
        let bytes = content.bytes
        let added = contents.withLock { contents -> Int in
            let known = contents[Self.address(bytes)]
            contents[Self.address(bytes)] = Content(bytes: bytes.count, readers: (known?.readers ?? 0) + 1)
            return known == nil ? bytes.count : 0
        }
        referred.wrappingAdd(added, ordering: .relaxed)
    }

    /// Counts one fewer, if the content is counted.
    func release(_ content: inout LargeContent) {
        guard content.isCounted else { return }
        content.isCounted = false
        let bytes = content.bytes
        let removed = contents.withLock { contents -> Int in
            guard var known = contents[Self.address(bytes)] else { return 0 }
            known.readers -= 1
            contents[Self.address(bytes)] = known.readers > 0 ? known : nil
            return known.readers > 0 ? 0 : known.bytes
        }
        referred.wrappingSubtract(removed, ordering: .relaxed)
    }

    private static func address(_ content: [UInt8]) -> UInt {
        // Unsafe only in its pointer, of which only the number is kept.
        unsafe content.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    /// Adds an event loop.
    ///
    /// - Parameter relieve: makes the loop close some of its connections; called on any thread.
    /// - Returns: the loop's number here.
    func join(relieve: @escaping @Sendable () -> Void) -> Int {
        loops.withLock { loops in
            loops.append(LoopEntry(relieve: relieve))
            return loops.count - 1
        }
    }

    /// Stores the earliest time since which a client of a loop has read nothing; `.distantFuture` if every client reads.
    func note(oldest: MonotonicInstant, ofLoop number: Int) {
        loops.withLock { if $0.indices.contains(number) { $0[number].oldest = oldest } }
    }

    /// If the limit is exceeded, makes the loop whose client has read nothing for longest close connections.
    func relieve() {
        guard isOver else { return }
        loops.withLock { $0.min { $0.oldest < $1.oldest }?.relieve }?()
    }
}
