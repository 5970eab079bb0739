import Streams
import Testing
import TestSupport

extension PipeWriter {
    func write(_ bytes: [UInt8]) { write(bytes.span) }
}

@Suite("A pipe")
struct BytePipeTests {
    @Test("Bytes come out as they went in, small pieces put together, and then the end")
    func order() {
        let (writer, reader) = BytePipe.make()
        writer.write([1, 2])
        writer.write([3])
        #expect(reader.count == 3)
        writer.end()
        #expect(reader.next() == .part([1, 2, 3]))
        #expect(reader.next() == .end(isWhole: true))
    }

    @Test("A part has at most 16 KiB")
    func parts() {
        let (writer, reader) = BytePipe.make()
        let bytes = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        writer.write(bytes)
        var read: [UInt8] = []
        while case .part(let part) = reader.next() {
            #expect(part.count <= BytePipe.maxPart)
            read += part
        }
        #expect(read == bytes)
        withExtendedLifetime(writer) {}
    }

    @Test("A writer that waits until there is room never fills it beyond its capacity, and goes on when half is empty")
    func capacity() {
        let (writer, reader) = BytePipe.make()
        let wakes = Counter()
        writer.onRoom { wakes.add() }
        let piece = [UInt8](repeating: 7, count: BytePipe.maxPiece)
        while !writer.awaitsRoom() { writer.write(piece) }
        #expect(reader.count == BytePipe.capacity)
        while reader.count > BytePipe.capacity / 2 {
            #expect(wakes.count == 0)
            #expect(writer.awaitsRoom())
            _ = reader.next()
        }
        #expect(wakes.count == 1)
        #expect(!writer.awaitsRoom())
    }

    @Test("A reader that waits is woken once by bytes, and by the end")
    func wakesReader() {
        let (writer, reader) = BytePipe.make()
        let wakes = Counter()
        reader.onBytes { wakes.add() }
        writer.write([1])
        #expect(wakes.count == 0, "it has not asked yet")
        #expect(reader.next() == .part([1]))
        #expect(reader.next() == .later)
        writer.write([2])
        writer.write([3])
        #expect(wakes.count == 1)
        #expect(reader.next() == .part([2, 3]))
        #expect(reader.next() == .later)
        writer.end()
        #expect(wakes.count == 2)
        #expect(reader.next() == .end(isWhole: true))
    }

    @Test("A writer that is lost leaves what it has written, and a broken end")
    func lostWriter() {
        let wakes = Counter()
        let reader: PipeReader
        do {
            let (writer, end) = BytePipe.make()
            reader = end
            reader.onBytes { wakes.add() }
            #expect(reader.next() == .later)
            writer.write([1])
        }
        #expect(reader.next() == .part([1]))
        #expect(reader.next() == .end(isWhole: false))
        #expect(wakes.count == 1)
    }

    @Test("A reader that closes tells the writer, whose bytes are dropped then")
    func closedReader() {
        let ends = BytePipe.make()
        let writer = ends.writer
        let wakes = Counter()
        writer.onRoom { wakes.add() }
        writer.write([1])
        #expect(!writer.isClosed)
        ends.reader.close()
        #expect(ends.reader.count == 0)
        #expect(ends.reader.next() == .end(isWhole: false))
        #expect(writer.isClosed)
        #expect(wakes.count == 1)
        writer.write([2])
        #expect(ends.reader.count == 0)
        #expect(!writer.awaitsRoom())
    }

    @Test("A reader that is lost tells the writer too")
    func droppedReader() {
        let wakes = Counter()
        let writer: PipeWriter
        do {
            let (end, reader) = BytePipe.make()
            writer = end
            writer.onRoom { wakes.add() }
            #expect(reader.next() == .later)
            #expect(!writer.isClosed)
        }
        #expect(writer.isClosed)
        #expect(wakes.count == 1)
    }

    @Test("Between two threads no byte is lost, none comes twice, and no end waits for ever")
    func threads() async {
        let total = 4 << 20
        let (writer, reader) = BytePipe.make()
        let (room, roomCame) = AsyncStream.makeStream(of: Void.self)
        let (bytes, bytesCame) = AsyncStream.makeStream(of: Void.self)
        writer.onRoom { roomCame.yield() }
        reader.onBytes { bytesCame.yield() }
        async let written: Void = {
            var room = room.makeAsyncIterator()
            var at = 0
            while at < total {
                while writer.awaitsRoom() { await room.next() }
                let count = min(total - at, 1 + at % BytePipe.maxPiece)
                writer.write((at..<at + count).map { UInt8(truncatingIfNeeded: $0) })
                at += count
            }
            writer.end()
        }()
        var come = bytes.makeAsyncIterator()
        var read = 0
        var isRight = true
        reading: while true {
            switch reader.next() {
            case .part(let part):
                for byte in part {
                    if byte != UInt8(truncatingIfNeeded: read) { isRight = false }
                    read += 1
                }
            case .later: await come.next()
            case .end(let isWhole):
                #expect(isWhole)
                break reading
            }
        }
        await written
        #expect(read == total)
        #expect(isRight)
    }
}

/// Counts calls from any thread.
private struct Counter: Sendable {
    private let calls = SharedList<Int>()
    func add() { calls.add([1]) }
    var count: Int { calls.all.count }
}
