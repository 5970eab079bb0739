internal import Locking

/// Bytes on their way from one thread to another, within a bound: the body of a reply that is passed on as it comes.
///
/// Each end waits without blocking: it is told to come back, and the other end wakes it. An end that is dropped closes the pipe, so
/// neither end waits for one that is gone, whichever way the other was lost.
public enum BytePipe {
    /// The most bytes that a pipe holds if its writer writes only while there is room.
    public static let capacity = 256 * 1024
    /// The most bytes that may be written once there is room.
    public static let maxPiece = 64 * 1024
    /// The most bytes that are read at a time: one frame of HTTP/2 (RFC 9113, section 4.2).
    public static let maxPart = 16 * 1024

    /// Both ends of a new pipe.
    public static func make() -> (writer: PipeWriter, reader: PipeReader) {
        let pipe = SharedPipe()
        return (PipeWriter(pipe), PipeReader(pipe))
    }
}

/// The end of a pipe that bytes come from. Dropped without `end`, it leaves the pipe broken.
public final class PipeWriter: Sendable {
    private let pipe: SharedPipe

    fileprivate init(_ pipe: SharedPipe) { self.pipe = pipe }

    deinit { pipe.end(isWhole: false) }

    /// Sets what tells the writer that there is room again, or that the reader has gone; called from the reader's thread.
    public func onRoom(_ wake: @escaping @Sendable () -> Void) { pipe.state.withLock { $0.wakeWriter = wake } }

    /// Returns true if there is no room for a piece. The writer is woken when half of the pipe is empty.
    public func awaitsRoom() -> Bool { pipe.state.withLock { $0.awaitsRoom() } }

    /// True if the reader has gone.
    public var isClosed: Bool { pipe.state.withLock { $0.isClosed } }

    /// Appends bytes, at most `BytePipe.maxPiece`; drops them if the reader has gone.
    public func write(_ bytes: Span<UInt8>) { pipe.change { $0.write(bytes) } }

    /// There are no more bytes, and none is missing.
    public func end() { pipe.end(isWhole: true) }
}

/// The end of a pipe that bytes go to. Dropped or closed, it tells the writer that no more are wanted.
public final class PipeReader: Sendable {
    /// What there is to read.
    public enum Next: Sendable, Equatable {
        /// The oldest bytes, at most `BytePipe.maxPart`.
        case part([UInt8])
        /// Nothing now; the reader is woken when there is something.
        case later
        /// Nothing any more. If `isWhole` is false the writer was lost in between.
        case end(isWhole: Bool)
    }

    private let pipe: SharedPipe

    fileprivate init(_ pipe: SharedPipe) { self.pipe = pipe }

    deinit { close() }

    /// Sets what tells the reader that there is something to read; called from the writer's thread.
    public func onBytes(_ wake: @escaping @Sendable () -> Void) { pipe.state.withLock { $0.wakeReader = wake } }

    /// Takes the oldest bytes out.
    public func next() -> Next {
        var next = Next.later
        pipe.change { state in
            let (taken, wake) = state.next()
            next = taken
            return wake
        }
        return next
    }

    /// The bytes that wait.
    public var count: Int { pipe.state.withLock { $0.count } }

    /// No more bytes are wanted; those that wait are dropped.
    public func close() { pipe.change { $0.close() } }
}

private typealias Wake = @Sendable () -> Void

private final class SharedPipe: Sendable {
    let state = Locked(PipeState())

    /// Changes the state, and wakes who is to be woken once the lock is free.
    func change(_ body: (inout PipeState) -> Wake?) { state.withLock { body(&$0) }?() }

    func end(isWhole: Bool) { change { $0.end(isWhole: isWhole) } }
}

private struct PipeState {
    private var parts: [[UInt8]] = []
    private(set) var count = 0
    private(set) var isClosed = false
    /// Nil until the writer has ended.
    private var isWhole: Bool?
    private var readerWaits = false
    private var writerWaits = false
    var wakeReader: Wake?
    var wakeWriter: Wake?

    mutating func awaitsRoom() -> Bool {
        let limit = writerWaits ? BytePipe.capacity / 2 : BytePipe.capacity - BytePipe.maxPiece
        writerWaits = !isClosed && count > limit
        return writerWaits
    }

    mutating func write(_ bytes: Span<UInt8>) -> Wake? {
        guard !isClosed, isWhole == nil, !bytes.isEmpty else { return nil }
        var start = 0
        while start < bytes.count {
            // Small pieces are put together, so that a pipe of them holds no more than others do.
            if parts.isEmpty || parts[parts.count - 1].count >= BytePipe.maxPart { parts.append([]) }
            let last = parts.count - 1
            let end = min(bytes.count, start + BytePipe.maxPart - parts[last].count)
            // Unsafe only in its pointer, which does not leave the closure.
            unsafe bytes.extracting(start..<end).withUnsafeBufferPointer { piece in
                unsafe parts[last].append(contentsOf: piece)
            }
            start = end
        }
        count += bytes.count
        return wakeOfReader()
    }

    mutating func end(isWhole: Bool) -> Wake? {
        guard self.isWhole == nil else { return nil }
        self.isWhole = isWhole
        wakeWriter = nil
        return isClosed ? nil : wakeOfReader()
    }

    mutating func next() -> (PipeReader.Next, Wake?) {
        guard !parts.isEmpty else {
            guard let isWhole else {
                readerWaits = !isClosed
                return (isClosed ? .end(isWhole: false) : .later, nil)
            }
            wakeReader = nil
            return (.end(isWhole: isWhole), nil)
        }
        let part = parts.removeFirst()
        count -= part.count
        guard writerWaits, count <= BytePipe.capacity / 2 else { return (.part(part), nil) }
        writerWaits = false
        return (.part(part), wakeWriter)
    }

    mutating func close() -> Wake? {
        guard !isClosed else { return nil }
        isClosed = true
        parts = []
        count = 0
        wakeReader = nil
        defer { wakeWriter = nil }
        return isWhole == nil ? wakeWriter : nil
    }

    private mutating func wakeOfReader() -> Wake? {
        guard readerWaits else { return nil }
        readerWaits = false
        return wakeReader
    }
}
