internal import Locking
internal import Synchronization

/// Lines that wait to be written out. Whoever adds one never waits for the output: a line that does not fit is dropped and counted.
public final class LogBuffer: Sendable {
    /// How many bytes of lines wait at most.
    public static let maxBytes = 4 << 20

    private let lines = Locked<[UInt8]>([])
    private let droppedLines = Atomic<Int>(0)

    public init() {}

    /// Adds what `body` appends, as a whole or not at all.
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

    /// Takes out all lines.
    public func take() -> [UInt8] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// Counts lines that could not be written.
    public func drop(_ count: Int) { droppedLines.wrappingAdd(count, ordering: .relaxed) }

    /// Lines that found no room, or that could not be written.
    public var dropped: Int { droppedLines.load(ordering: .relaxed) }
}
