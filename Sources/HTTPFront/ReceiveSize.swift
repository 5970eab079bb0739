internal import NIOCore

/// How much is read from a connection at once: as much as it has sent lately, between half a KiB and 64 KiB.
///
/// NIO keeps the memory that a connection is read into for as long as the connection lives. An idle connection may keep little:
/// what is larger than `kept` is asked for at each read, and given back after it.
struct ReceiveSize: RecvByteBufferAllocator {
    static let range = 512...65_536
    /// What a connection may keep; most requests are smaller.
    static let kept = 4096

    private var size = 1024
    /// Whether the last read needed at most half of the memory. One alone makes no difference.
    private var wasAmple = false

    private var isKept: Bool { size <= Self.kept }

    /// Nothing is how NIO learns that the memory it keeps is not to be used.
    func nextBufferSize() -> Int? { isKept ? size : nil }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    /// - Returns: whether NIO has to ask for memory at the next read.
    mutating func record(actualReadBytes count: Int) -> Bool {
        if count >= size {
            size = min(size * 2, Self.range.upperBound)
            wasAmple = false
        } else if count <= size / 2, size > Self.range.lowerBound {
            if wasAmple { size /= 2 }
            wasAmple.toggle()
        } else {
            wasAmple = false
        }
        return !isKept
    }
}
