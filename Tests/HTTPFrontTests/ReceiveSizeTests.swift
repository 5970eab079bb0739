import NIOCore
import Testing

@testable import HTTPFront

@Suite("What a connection is read into")
struct ReceiveSizeTests {
    private let allocator = ByteBufferAllocator()

    /// NIO's pool, with one place, as connections have it.
    private func pool() -> NIOPooledRecvBufferAllocator {
        NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: ReceiveSize())
    }

    /// Reads `count` bytes, or as many as there is room for; how much room there was.
    private func read(_ count: Int, _ pool: inout NIOPooledRecvBufferAllocator) -> Int {
        let (buffer, room) = pool.buffer(allocator: allocator) { buffer in
            let room = buffer.writableBytes
            buffer.writeRepeatingByte(0x78, count: min(count, room))
            return room
        }
        pool.record(actualReadBytes: buffer.readableBytes)
        return room
    }

    @Test("grows while it is filled, to 64 KiB, and shrinks when it was too large twice, to half a KiB")
    func adapts() {
        var pool = pool()
        let growing = (0..<8).map { _ in read(.max, &pool) }
        #expect(growing == [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 65_536])
        var size = ReceiveSize()
        for _ in 0..<8 { _ = size.record(actualReadBytes: .max) }
        let shrinking = (0..<18).map { _ in
            _ = size.record(actualReadBytes: 10)
            return size.buffer(allocator: allocator).capacity
        }
        let halves = (0..<8).flatMap { step in [65_536 >> step, 65_536 >> (step + 1)] }
        #expect(shrinking == halves.map { max($0, 512) } + [512, 512])
    }

    @Test("stays as it is for requests that fit")
    func settles() {
        var size = ReceiveSize()
        for _ in 0..<10 {
            _ = size.record(actualReadBytes: 100)
            _ = size.record(actualReadBytes: 800)
            #expect(size.nextBufferSize() == 1024)
        }
    }

    @Test("is kept only up to 4 KiB, and used again and again then")
    func kept() {
        var pool = pool()
        for _ in 0..<20 { _ = read(.max, &pool) }
        #expect(pool.recvAllocator.nextBufferSize() == nil)
        var addresses: Set<Int> = []
        var largest = 0
        for _ in 0..<20 {
            let (buffer, _) = pool.buffer(allocator: allocator) { $0.writeInteger(UInt8(0)) }
            pool.record(actualReadBytes: 1)
            largest = max(largest, buffer.capacity)
            guard pool.recvAllocator.nextBufferSize() == 512 else { continue }
            buffer.withUnsafeReadableBytes { bytes in _ = addresses.insert(Int(bitPattern: bytes.baseAddress)) }
        }
        #expect(largest == 65_536)
        #expect(addresses.count == 1)
        // What is left is what the pool keeps.
        #expect(read(1, &pool) <= ReceiveSize.kept)
    }
}
