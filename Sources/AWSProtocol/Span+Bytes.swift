internal import Glibc

extension Span where Element == UInt8 {
    /// Returns true if the span has the same bytes as `other`.
    public func hasBytes(_ other: [UInt8]) -> Bool { count == other.count && holds(other, at: 0) }

    /// Returns true if the bytes from `start` on begin with `text`.
    func holds(_ text: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start + text.count <= count else { return false }
        // Unsafe because of the pointers: both have `text.count` bytes.
        return unsafe withUnsafeBytes { bytes in
            unsafe text.withUnsafeBytes { text in
                guard let base = bytes.baseAddress, let other = text.baseAddress else { return true }
                return unsafe memcmp(base + start, other, text.count) == 0
            }
        }
    }

    /// The index of the first `byte` at or after `start`, `nil` if there is none.
    func index(of byte: UInt8, from start: Int) -> Int? {
        guard start >= 0, start < count else { return nil }
        // Unsafe because of the pointers, which stay inside the span.
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe base.distance(to: UnsafeRawPointer(found))
        }
    }

    /// Eight bytes as one integer in the machine's byte order, to compare them at once.
    @inline(__always)
    func word(at index: Int) -> UInt64 {
        // Unsafe because the bytes are reinterpreted: any eight bytes are a valid integer. The index is checked.
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
    }
}

extension Array where Element == UInt8 {
    /// A copy of a span's bytes.
    public init(copying span: Span<UInt8>) {
        self.init()
        append(copying: span)
    }
}
