internal import NIOCore

/// The content of a large answer and the number of its bytes that were sent. It refers to the page's own bytes, so that a slow client
/// holds no copy of them.
struct LargeContent {
    /// Content up to this size is copied into the output instead, which is cheaper: 3.7 against 4.1 µs for 2.3 KB, equal near 16 KiB.
    static let minBytes = 16 * 1024
    /// The size of a part, which is copied and handed to the channel.
    static let partBytes = 64 * 1024

    let bytes: [UInt8]
    private(set) var offset = 0
    var isCounted = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var left: Int { bytes.count - offset }

    mutating func advance(by count: Int) { offset = min(bytes.count, offset + max(0, count)) }

    /// Removes the next part, a copy of at most `size` bytes.
    mutating func takePart(of size: Int, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        let count = min(left, size)
        var part = allocator.buffer(capacity: count)
        part.writeBytes(bytes[offset..<offset + count])
        offset += count
        return part
    }
}
