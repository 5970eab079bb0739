internal import Locking
internal import Synchronization

/// One answered request, for the access log.
public struct AccessRecord: Sendable {
    public let operation: String
    public let caller: String
    public let outcome: String
    /// The answer's status code.
    public let status: Int
    /// A word on the cause of a bad answer.
    public let detail: String
    /// The answer's id.
    public let requestID: [UInt8]
    /// From arrival to answer, in nanoseconds.
    public let duration: Int64

    public init(
        operation: String, caller: String, outcome: String, status: Int, detail: String, requestID: [UInt8],
        duration: Int64
    ) {
        self.operation = operation
        self.caller = caller
        self.outcome = outcome
        self.status = status
        self.detail = detail
        self.requestID = requestID
        self.duration = duration
    }
}

/// Collects access lines, one JSON object each, until somebody writes them out. No caller ever waits for the output: what
/// does not fit is dropped and counted.
public final class AccessLog: Sendable {
    private static let maxBytes = 4 << 20

    private let recordsGood: Bool
    private let wallClock: @Sendable () -> Int64
    private let lines = Locked<[UInt8]>([])
    private let droppedLines = Atomic<Int>(0)

    /// - Parameters:
    ///   - recordsGood: whether good answers are recorded too.
    ///   - wallClock: seconds since 1970-01-01T00:00:00Z.
    public init(recordsGood: Bool, wallClock: @escaping @Sendable () -> Int64) {
        self.recordsGood = recordsGood
        self.wallClock = wallClock
    }

    /// Adds a line.
    public func record(_ record: @autoclosure () -> AccessRecord, isGood: Bool) {
        guard recordsGood || !isGood else { return }
        let record = record()
        let time = wallClock()
        let fits = lines.withLock { lines in
            let start = lines.count
            lines += "{\"time\":".utf8
            Self.append(time, to: &lines)
            Self.append(",\"operation\":", record.operation.utf8, to: &lines)
            Self.append(",\"caller\":", record.caller.utf8, to: &lines)
            Self.append(",\"outcome\":", record.outcome.utf8, to: &lines)
            lines += ",\"status\":".utf8
            Self.append(Int64(record.status), to: &lines)
            Self.append(",\"detail\":", record.detail.utf8, to: &lines)
            Self.append(",\"requestId\":", record.requestID, to: &lines)
            lines += ",\"durationUs\":".utf8
            Self.append(max(0, record.duration) / 1000, to: &lines)
            lines += "}\n".utf8
            guard lines.count > Self.maxBytes else { return true }
            lines.removeLast(lines.count - start)
            return false
        }
        if !fits { droppedLines.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Takes out all lines.
    public func take() -> [UInt8] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    /// Lines that found no room.
    public var dropped: Int { droppedLines.load(ordering: .relaxed) }

    /// Appends a member; what could end a string or a line is left out of its value.
    private static func append(_ name: StaticString, _ value: some Sequence<UInt8>, to lines: inout [UInt8]) {
        // Unsafe only in its pointer, which a literal keeps valid for ever.
        unsafe lines.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        lines.append(UInt8(ascii: "\""))
        for byte in value
        where byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0x7f {
            lines.append(byte)
        }
        lines.append(UInt8(ascii: "\""))
    }

    private static func append(_ number: Int64, to lines: inout [UInt8]) { lines += String(number).utf8 }
}
