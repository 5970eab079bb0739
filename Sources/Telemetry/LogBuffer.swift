internal import Locking
internal import Synchronization

/// Lines that wait to be written. Appending never waits for the output: a line that does not fit is dropped and counted.
public final class LogBuffer: Sendable {
    /// The maximum size of the waiting lines, in bytes.
    public static let maxBytes = 4 << 20

    private let lines = Locked<[UInt8]>([])
    private let droppedLines = Atomic<Int>(0)

    /// An empty buffer.
    public init() {}

    /// Adds the bytes that `body` appends, all or none. `body` runs under the lock.
    public func append(_ body: (inout [UInt8]) -> Void) {
        let fits = lines.withLock { lines in
            let start = lines.count
            body(&lines)
            guard lines.count > Self.maxBytes else { return true }
            lines.removeLast(lines.count - start)
            return false
        }
        if !fits { drop(1) }
    }

    /// Removes and returns all lines.
    public func take() -> [UInt8] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// Counts lines that could not be written.
    public func drop(_ count: Int) { droppedLines.wrappingAdd(count, ordering: .relaxed) }

    /// The number of lines that did not fit or could not be written.
    public var dropped: Int { droppedLines.load(ordering: .relaxed) }
}
