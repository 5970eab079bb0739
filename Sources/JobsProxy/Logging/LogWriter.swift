internal import Glibc
internal import Synchronization
internal import Telemetry
internal import OriginClient

/// Writes the lines of a `LogBuffer` to a descriptor, on a thread of its own: no other thread of the process waits for the reader of
/// the descriptor. If the reader stops, the buffer fills, and further lines are dropped and counted.
final class LogWriter: Sendable {
    /// The source of the lines.
    let buffer: LogBuffer
    private let descriptor: Int32
    /// A byte wakes the thread; the end of input ends it after one more look at the buffer.
    private let wakeUps: Int32
    /// Ends when the thread has ended.
    private let completion: Int32
    private let isCollecting: Flag

    /// The time for which lines without a wake-up are collected, in milliseconds.
    private static let interval: Int32 = 250

    /// Shared with the thread.
    private final class Flag: Sendable {
        let isSet: Atomic<Bool>

        init(_ value: Bool) { isSet = Atomic(value) }
    }

    /// Starts the thread.
    ///
    /// - Parameter collects: true if lines come without a wake-up for each, as access lines do.
    /// - Throws: `CommandFailure` if there is no thread or no descriptor to be had.
    init(_ buffer: LogBuffer = LogBuffer(), to descriptor: Int32, collects: Bool = true) throws(CommandFailure) {
        self.buffer = buffer
        self.descriptor = descriptor
        let (wakeUpsEnd, wakeUps) = try Self.pair()
        let (completion, completionEnd) = try Self.pair()
        (self.wakeUps, self.completion) = (wakeUps, completion)
        let flag = Flag(collects)
        isCollecting = flag
        do {
            try spawnThread {
                var joint = LineJoint()
                while Self.waitForWork(wakeUpsEnd, atMost: flag.isSet.load(ordering: .relaxed) ? Self.interval : -1) {
                    Self.write(buffer, to: descriptor, &joint)
                }
                Self.write(buffer, to: descriptor, &joint)
                close(completionEnd)
            }
        } catch {
            throw CommandFailure("the log's thread cannot be started: \(error)")
        }
    }

    /// From now on lines may come without a wake-up for each.
    func collect() {
        guard !isCollecting.isSet.exchange(true, ordering: .relaxed) else { return }
        wake()
    }

    /// Wakes the thread. Never blocks: a full socket holds a wake-up already.
    func wake() {
        var byte: UInt8 = 0
        _ = unsafe send(wakeUps, &byte, 1, Int32(MSG_NOSIGNAL))
    }

    /// Writes all lines and ends the thread; waits no longer than `timeout` for the reader.
    ///
    /// To be called once.
    ///
    /// - Parameter timeout: milliseconds.
    func finish(timeout: Int32) {
        // Not closed: a thread that still logs must not write to a file that gets the number next.
        shutdown(wakeUps, Int32(SHUT_WR))
        var ended = pollfd(fd: completion, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&ended, 1, timeout)
    }

    /// Two ends that see each other closed, which the processes that this one starts do not get.
    static func pair() throws(CommandFailure) -> (output: Int32, input: Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw CommandFailure("the log's wake-up cannot be made: \(unsafe String(cString: strerror(errno)))")
        }
        return (ends[0], ends[1])
    }

    /// - Returns: false if no more will come.
    private static func waitForWork(_ wakeUps: Int32, atMost milliseconds: Int32) -> Bool {
        var source = pollfd(fd: wakeUps, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&source, 1, milliseconds) > 0 else { return true }
        var bytes: UInt64 = 0
        return unsafe read(wakeUps, &bytes, MemoryLayout<UInt64>.size) != 0
    }

    /// Writes all lines. Those that cannot be written, because the descriptor or its reader is closed, are counted.
    private static func write(_ buffer: LogBuffer, to descriptor: Int32, _ joint: inout LineJoint) {
        let bytes = joint.bytes(of: buffer.take())
        var rest = bytes[...]
        writing: while !rest.isEmpty {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var room = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&room, 1, -1)
            } else if errno != EINTR {
                break writing
            }
        }
        let lost = joint.ended(bytes, written: bytes.count - rest.count)
        if lost > 0 { buffer.drop(lost) }
    }
}

/// Separates lines from one before them of which only the beginning could be written, because a disk was full.
struct LineJoint {
    private var isCut = false

    /// What is to be written for lines.
    func bytes(of lines: [UInt8]) -> [UInt8] { isCut && !lines.isEmpty ? [UInt8(ascii: "\n")] + lines : lines }

    /// So many of these bytes were written.
    ///
    /// - Returns: how many lines were not, or not whole.
    mutating func ended(_ bytes: [UInt8], written: Int) -> Int {
        let lost = bytes[written...].count { $0 == UInt8(ascii: "\n") }
        guard written > 0 else { return isCut && !bytes.isEmpty ? lost - 1 : lost }
        isCut = bytes[written - 1] != UInt8(ascii: "\n")
        return lost
    }
}
