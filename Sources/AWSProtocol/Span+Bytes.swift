internal import Glibc

/// Comparing bytes.
extension Span where Element == UInt8 {
    /// Whether these are the same bytes.
    public func hasBytes(_ other: [UInt8]) -> Bool { count == other.count && holds(other, at: 0) }

    /// Whether `text` stands at a place.
    func holds(_ text: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start + text.count <= count else { return false }
        // Unsafe only in its pointers: as many bytes are there as are compared.
        return unsafe withUnsafeBytes { bytes in
            unsafe text.withUnsafeBytes { text in
                guard let base = bytes.baseAddress, let other = text.baseAddress else { return true }
                return unsafe memcmp(base + start, other, text.count) == 0
            }
        }
    }

    /// The first place of a byte, from one on.
    func index(of byte: UInt8, from start: Int) -> Int? {
        guard start >= 0, start < count else { return nil }
        // Unsafe only in its pointers, which stay inside these bytes.
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe base.distance(to: UnsafeRawPointer(found))
        }
    }

    /// Eight bytes as one integer, whose value means nothing but that they are the same.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        // Unsafe only in that any eight bytes must make a valid integer, which they do; the place is checked.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    }
}

extension Array where Element == UInt8 {
    /// The bytes of a span, in an array of their own.
    public init(copying span: Span<UInt8>) {
        self.init()
        append(copying: span)
    }
}
