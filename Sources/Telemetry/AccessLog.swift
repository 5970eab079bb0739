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
    public let requestID: String
    /// From arrival to answer, in nanoseconds.
    public let duration: Int64

    public init(
        operation: String, caller: String, outcome: String, status: Int, detail: String, requestID: String,
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
        let line =
            "{\"time\":\(wallClock()),\"operation\":\"\(Self.clean(record.operation))\",\"caller\":\"\(Self.clean(record.caller))\","
            + "\"outcome\":\"\(Self.clean(record.outcome))\",\"status\":\(record.status),\"detail\":\"\(Self.clean(record.detail))\","
            + "\"requestId\":\"\(Self.clean(record.requestID))\",\"durationUs\":\(max(0, record.duration) / 1000)}\n"
        let fits = lines.withLock { lines in
            guard lines.count + line.utf8.count <= Self.maxBytes else { return false }
            lines += line.utf8
            return true
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

    /// What could end a string or a line is left out.
    private static func clean(_ text: String) -> String {
        String(text.unicodeScalars.filter { $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7f })
    }
}
