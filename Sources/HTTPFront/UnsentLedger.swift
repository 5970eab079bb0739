internal import Locking
internal import Synchronization

/// Counts what all connections of a server hold of answers that have not left: copies in full, and the large contents that they refer
/// to once each, however many read them.
///
/// A content counts although the cache may hold it too: the ledger cannot know for how long.
final class UnsentLedger: Sendable {
    private struct Content {
        let bytes: Int
        var readers: Int
    }

    private let maxBytes: Int
    private let copied = Atomic<Int>(0)
    private let referred = Atomic<Int>(0)
    /// By the address of their first byte, which is theirs alone while somebody refers to them.
    private let contents = Locked<[UInt: Content]>([:])
    /// What each event loop says of itself.
    private let loops = Locked<[LoopEntry]>([])

    private struct LoopEntry {
        /// Since when the client that has read nothing for longest has read nothing; `.max` without one.
        var oldest = Int64.max
        let relieve: @Sendable () -> Void
    }

    /// - Parameter maxBytes: more than this is held for a moment only; 0 for no limit.
    init(maxBytes: Int) { self.maxBytes = maxBytes > 0 ? maxBytes : .max }

    /// The bytes that are held now.
    var total: Int { copied.load(ordering: .relaxed) + referred.load(ordering: .relaxed) }

    var isOver: Bool { total > maxBytes }

    /// Adds to the bytes that are held as copies, or takes from them.
    func addCopied(_ count: Int) { copied.wrappingAdd(count, ordering: .relaxed) }

    /// One more connection refers to a content.
    func retain(_ content: [UInt8]) {
        let added = contents.withLock { contents -> Int in
            let known = contents[Self.address(content)]
            contents[Self.address(content)] = Content(bytes: content.count, readers: (known?.readers ?? 0) + 1)
            return known == nil ? content.count : 0
        }
        referred.wrappingAdd(added, ordering: .relaxed)
    }

    /// A connection refers to a content no more; the caller still does.
    func release(_ content: [UInt8]) {
        let removed = contents.withLock { contents -> Int in
            guard var known = contents[Self.address(content)] else { return 0 }
            known.readers -= 1
            contents[Self.address(content)] = known.readers > 0 ? known : nil
            return known.readers > 0 ? 0 : known.bytes
        }
        referred.wrappingSubtract(removed, ordering: .relaxed)
    }

    private static func address(_ content: [UInt8]) -> UInt {
        // Unsafe only in its pointer, of which nothing but the number is kept.
        unsafe content.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    // MARK: Relief

    /// Adds an event loop.
    ///
    /// - Parameter relieve: has the loop close some of its connections; called on any thread.
    /// - Returns: the loop's number here.
    func join(relieve: @escaping @Sendable () -> Void) -> Int {
        loops.withLock { loops in
            loops.append(LoopEntry(relieve: relieve))
            return loops.count - 1
        }
    }

    /// Notes since when the client of a loop's connection has read nothing that has done so for longest.
    func note(oldest: Int64, ofLoop number: Int) {
        loops.withLock { if $0.indices.contains(number) { $0[number].oldest = oldest } }
    }

    /// If too much is held, has the loop close connections whose clients have read nothing for longest.
    func relieve() {
        guard isOver else { return }
        loops.withLock { $0.min { $0.oldest < $1.oldest }?.relieve }?()
    }
}
