internal import Locking
public import Primitives

/// Writes access lines into a `LogBuffer`, in the format of the process's log.
public final class AccessLog: Sendable {
    /// The buffer that lines are appended to.
    public let buffer: LogBuffer
    private let format: LogFormat
    private let recordsGood: Bool
    private let wallClock: @Sendable () -> WallInstant
    private let sampler = Locked(RefusalSampler())

    /// - Parameter recordsGood: true if good answers are recorded too.
    public init(
        recordsGood: Bool, format: LogFormat = .json, into buffer: LogBuffer = LogBuffer(),
        wallClock: @escaping @Sendable () -> WallInstant
    ) {
        self.recordsGood = recordsGood
        self.format = format
        self.buffer = buffer
        self.wallClock = wallClock
    }

    /// Returns true if an answer is recorded.
    ///
    /// - Parameter isGood: true for a good answer.
    public func records(isGood: Bool) -> Bool { recordsGood || !isGood }

    /// Appends a line.
    ///
    /// - Parameters:
    ///   - record: evaluated only if the line is recorded.
    ///   - isGood: true for a good answer.
    ///   - isSampled: true for clients without identity. The first line of a `detail` in a second is written; the others are
    ///     counted, and `tick` writes one line with their number (`count`).
    public func record(_ record: @autoclosure () -> AccessRecord, isGood: Bool, isSampled: Bool = false) {
        guard records(isGood: isGood) else { return }
        let record = record()
        let time = wallClock()
        if isSampled {
            let reason = Array(record.detail.utf8)
            let (ended, isWritten) = sampler.withLock { ($0.endSecond(time.seconds), $0.admits(reason)) }
            summarize(ended, time: time)
            guard isWritten else { return }
        }
        var line = self.line(time)
        record.add(to: &line)
        append(line)
    }

    /// Writes the counts of suppressed lines when a second has ended. Call it about four times a second.
    public func tick() {
        let time = wallClock()
        summarize(sampler.withLock { $0.endSecond(time.seconds) }, time: time)
    }

    private func summarize(_ suppressed: [RefusalSampler.Suppressed], time: WallInstant) {
        for reason in suppressed {
            var line = self.line(time)
            line.add("caller", "unknown".utf8)
            line.add("outcome", "suppressed".utf8)
            line.add("detail", reason.reason)
            line.add("count", Int64(reason.count))
            append(line)
        }
    }

    private func line(_ time: WallInstant) -> LogLine {
        LogLine(format, time: time, level: "info", message: "request")
    }

    private func append(_ line: LogLine) {
        let bytes = line.finish()
        buffer.append { $0 += bytes }
    }
}
