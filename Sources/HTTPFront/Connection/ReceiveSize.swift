internal import NIOCore

/// The size of a read from a connection: as much as the client has sent lately, between half a KiB and 64 KiB.
///
/// NIO keeps the receive buffer for the life of the connection. An idle connection should hold little memory, so a buffer larger than `kept`
/// is allocated for each read and freed after it.
struct ReceiveSize: RecvByteBufferAllocator {
    static let range = 512...65_536
    /// The largest buffer that a connection keeps; most requests are smaller.
    static let kept = 4096

    private var size = 1024
    /// True if the last read needed at most half of the buffer. Two such reads in a row halve it.
    private var wasAmple = false

    private var isKept: Bool { size <= Self.kept }

    /// `nil` tells NIO not to use the buffer that it keeps.
    func nextBufferSize() -> Int? { isKept ? size : nil }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    /// - Returns: true if NIO must allocate a buffer for the next read.
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
