import Glibc
import Telemetry
import Testing

@testable import JobsProxy

@Suite("The log's writer", .timeLimit(.minutes(1)))
struct LogWriterTests {
    /// As `serve` does: the end of a reader is an error, not a signal.
    init() { signal(SIGPIPE, SIG_IGN) }

    private func pipe() -> (output: Int32, input: Int32) {
        var ends: [Int32] = [-1, -1]
        Glibc.pipe(&ends)
        return (ends[0], ends[1])
    }

    @Test("writes every line before it ends")
    func complete() throws {
        let (output, input) = pipe()
        let writer = try LogWriter(to: input)
        for number in 0..<1000 { writer.buffer.append { $0 += "line \(number)\n".utf8 } }
        writer.finish(timeout: 10_000)
        close(input)
        var text: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(output, &piece, piece.count)
            guard count > 0 else { break }
            text += piece.prefix(count)
        }
        close(output)
        #expect(text.count { $0 == 0x0a } == 1000)
        #expect(writer.buffer.dropped == 0)
    }

    @Test("holds nobody up when its pipe is full and nobody reads: lines are dropped and counted, and the end comes")
    func unread() throws {
        let (output, input) = pipe()
        let writer = try LogWriter(to: input)
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 10_000) + [0x0a]
        let started = ContinuousClock.now
        for _ in 0..<2000 {
            writer.buffer.append { $0 += line }
            writer.wake()
        }
        writer.finish(timeout: 100)
        #expect(ContinuousClock.now - started < .seconds(5))
        #expect(writer.buffer.dropped > 0)
        // Its thread still waits; it ends with its reader.
        close(output)
    }

    @Test("begins a new line behind one of which a full disk took only the beginning")
    func cutLine() {
        var joint = LineJoint()
        let lines = Array("one\ntwo\n".utf8)
        #expect(joint.bytes(of: lines) == lines)
        #expect(joint.ended(lines, written: 6) == 1)
        let next = [0x0a] + Array("three\n".utf8)
        #expect(joint.bytes(of: []).isEmpty)
        // Still full: the cut line is not counted again.
        for written in [0, 3, next.count] {
            #expect(joint.bytes(of: Array("three\n".utf8)) == next)
            #expect(joint.ended(next, written: written) == (written == next.count ? 0 : 1))
        }
        #expect(joint.bytes(of: lines) == lines)
    }

    @Test("counts the lines that a closed descriptor does not take")
    func closed() throws {
        let (output, input) = pipe()
        close(output)
        let writer = try LogWriter(to: input)
        writer.buffer.append { $0 += "one\ntwo\n".utf8 }
        writer.finish(timeout: 10_000)
        #expect(writer.buffer.dropped == 2)
        close(input)
    }
}
