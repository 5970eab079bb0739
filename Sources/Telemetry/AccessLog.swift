internal import Locking
public import Primitives

/// One answered request, for the access log.
public struct AccessRecord: Sendable {
    public let service: String
    public let operation: String
    public let caller: String
    public let outcome: String
    /// The HTTP status code of the answer.
    public let status: Int
    /// The cause of a bad answer in one word; empty for a good one.
    public let detail: String
    /// The value of the answer's `x-amzn-RequestId`.
    public let requestID: [UInt8]
    /// From arrival to answer, in nanoseconds; 0 for what is answered at once.
    public let duration: Int64

    public init(
        service: String, operation: String, caller: String, outcome: String, status: Int, detail: String,
        requestID: [UInt8], duration: Int64
    ) {
        self.service = service
        self.operation = operation
        self.caller = caller
        self.outcome = outcome
        self.status = status
        self.detail = detail
        self.requestID = requestID
        self.duration = duration
    }
}

/// Writes access lines, one JSON object each, into a `LogBuffer`.
public final class AccessLog: Sendable {
    /// The buffer that lines are appended to.
    public let buffer: LogBuffer
    private let recordsGood: Bool
    private let wallClock: @Sendable () -> WallInstant
    private let sampler = Locked(RefusalSampler())

    /// - Parameter recordsGood: true if good answers are recorded too.
    public init(
        recordsGood: Bool, into buffer: LogBuffer = LogBuffer(), wallClock: @escaping @Sendable () -> WallInstant
    ) {
        self.recordsGood = recordsGood
        self.buffer = buffer
        self.wallClock = wallClock
    }

    /// Appends a line.
    ///
    /// - Parameters:
    ///   - record: evaluated only if the line is recorded.
    ///   - isGood: true for a good answer.
    ///   - isSampled: true for clients without identity. The first line of a `detail` in a second is written; the others are
    ///     counted, and `tick` writes one line with their number (`count`).
    public func record(_ record: @autoclosure () -> AccessRecord, isGood: Bool, isSampled: Bool = false) {
        guard recordsGood || !isGood else { return }
        let record = record()
        let time = wallClock().seconds
        if isSampled {
            let reason = Array(record.detail.utf8)
            let (ended, isWritten) = sampler.withLock { ($0.endSecond(time), $0.admits(reason)) }
            summarize(ended, time: time)
            guard isWritten else { return }
        }
        buffer.append { lines in
            Self.append("{\"time\":", time, to: &lines)
            Self.append(",\"service\":", record.service.utf8, to: &lines)
            Self.append(",\"operation\":", record.operation.utf8, to: &lines)
            Self.append(",\"caller\":", record.caller.utf8, to: &lines)
            Self.append(",\"outcome\":", record.outcome.utf8, to: &lines)
            Self.append(",\"status\":", Int64(record.status), to: &lines)
            Self.append(",\"detail\":", record.detail.utf8, to: &lines)
            Self.append(",\"requestId\":", record.requestID, to: &lines)
            Self.append(",\"durationUs\":", max(0, record.duration) / 1000, to: &lines)
            lines += "}\n".utf8
        }
    }

    /// Writes the counts of suppressed lines when a second has ended. Call it about four times a second.
    public func tick() {
        let time = wallClock().seconds
        summarize(sampler.withLock { $0.endSecond(time) }, time: time)
    }

    private func summarize(_ suppressed: [RefusalSampler.Suppressed], time: Int64) {
        for reason in suppressed {
            buffer.append { lines in
                Self.append("{\"time\":", time, to: &lines)
                lines += ",\"caller\":\"unknown\",\"outcome\":\"suppressed\"".utf8
                Self.append(",\"detail\":", reason.reason, to: &lines)
                Self.append(",\"count\":", Int64(reason.count), to: &lines)
                lines += "}\n".utf8
            }
        }
    }

    /// Appends a member. Bytes that could end a string or a line are left out of its value.
    private static func append(_ name: StaticString, _ value: some Sequence<UInt8>, to lines: inout [UInt8]) {
        append(name, to: &lines)
        lines.append(UInt8(ascii: "\""))
        for byte in value
        where byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\") && byte != 0x7f {
            lines.append(byte)
        }
        lines.append(UInt8(ascii: "\""))
    }

    private static func append(_ name: StaticString, _ number: Int64, to lines: inout [UInt8]) {
        append(name, to: &lines)
        lines += String(number).utf8
    }

    private static func append(_ text: StaticString, to lines: inout [UInt8]) {
        // Unsafe because of the pointer, which is valid for as long as the process runs.
        unsafe lines.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
