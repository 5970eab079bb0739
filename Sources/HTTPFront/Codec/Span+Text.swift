internal import Glibc
internal import Primitives

/// Comparisons and searches of text in bytes. None of them traps on any input: a range outside the span is not equal.
extension Span where Element == UInt8 {
    /// True if `range` holds `text` (which is in lower case) in any case of its letters.
    @inline(__always)
    func equals(_ text: StaticString, at range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.upperBound <= count else { return false }
        let expected = unsafe text.utf8Start
        for offset in 0..<range.count {
            if unsafe self[range.lowerBound + offset].lowercased != expected[offset] { return false }
        }
        return true
    }

    /// True if these begin with `text`, which has at least eight bytes.
    @inline(__always)
    func begins(with text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length >= 8, count >= length else { return false }
        // Unsafe only in its pointer: every word read lies inside the literal.
        let literal = unsafe UnsafeRawPointer(text.utf8Start)
        var index = 0
        while index + 8 < length {
            guard unsafe word(at: index) == literal.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            else { return false }
            index += 8
        }
        // The last eight overlap those before.
        return unsafe word(at: length - 8)
            == literal.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self).littleEndian
    }

    /// True if `range` holds exactly `text`.
    public func holds(_ text: [UInt8], at range: Range<Int>) -> Bool {
        guard range.count == text.count, range.lowerBound >= 0, range.upperBound <= count else { return false }
        // Unsafe only in its pointers: as many bytes are there as are compared.
        return unsafe withUnsafeBytes { bytes in
            unsafe text.withUnsafeBytes { text in
                guard let base = bytes.baseAddress, let other = text.baseAddress else { return true }
                return unsafe memcmp(base + range.lowerBound, other, text.count) == 0
            }
        }
    }

    /// The first place at or after `start` that holds a control character other than a tab, or `count`.
    ///
    /// Sixteen bytes at a time: header values are most of a request, and this loop is most of their reading.
    func firstControl(from start: Int) -> Int {
        guard start >= 0, start < count else { return count }
        // Unsafe only in its pointer: every word read lies inside the span, and only an index leaves the closure.
        return unsafe withUnsafeBytes { bytes in
            var index = start
            while index &+ 16 <= bytes.count {
                let first = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                let second = unsafe bytes.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
                if (Word.controls(first) | Word.controls(second)) & Word.all(0x80) != 0 { break }
                index &+= 16
            }
            while index &+ 8 <= bytes.count {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let found = Word.controls(word) & Word.all(0x80)
                guard found != 0 else {
                    index &+= 8
                    continue
                }
                // The lowest flag may be false, above a byte of 0xff.
                index &+= found.trailingZeroBitCount >> 3
                if unsafe Self.isControl(bytes[index]) { return index }
                index &+= 1
            }
            while index < bytes.count, unsafe !Self.isControl(bytes[index]) { index &+= 1 }
            return index
        }
    }

    /// The first place at or after `start` that holds `byte`, or `count`.
    @inline(__always)
    func first(_ byte: UInt8, from start: Int) -> Int {
        guard start >= 0, start < count else { return count }
        // Unsafe only in its pointer: start and length lie inside the span, and only a distance leaves the closure.
        return unsafe withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return count }
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
        }
    }

    /// True if `range` holds `text`, which is made of small letters and characters below `@`, in any case of its letters.
    ///
    /// Longer texts are compared eight bytes at a time, the last eight overlapping those before.
    @inline(__always)
    public func isText(_ text: StaticString, at range: Range<Int>) -> Bool {
        let length = text.utf8CodeUnitCount
        guard range.count == length, range.lowerBound >= 0, range.upperBound <= count else { return false }
        guard (8...24).contains(length) else { return equals(text, at: range) }
        // Unsafe only in its pointer: every word read lies inside the literal.
        let literal = unsafe UnsafeRawPointer(text.utf8Start)
        guard unsafe word(at: range.lowerBound, matches: literal.loadUnaligned(as: UInt64.self)),
            unsafe word(
                at: range.upperBound - 8, matches: literal.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self))
        else { return false }
        return unsafe length <= 16
            || word(at: range.lowerBound + 8, matches: literal.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// True if eight bytes are those of `literal`, in any case of its letters.
    ///
    /// Among the characters of the literal only letters have bit 6. Bit 5, the case, is ignored at letters alone: ignored at a hyphen, it
    /// would make a carriage return equal to it.
    @inline(__always)
    private func word(at index: Int, matches literal: UInt64) -> Bool {
        let literal = literal.littleEndian
        return word(at: index) | (literal & Word.all(0x40)) >> 1 == literal
    }

    @inline(__always)
    private func word(at index: Int) -> UInt64 {
        // Unsafe only in that any eight bytes must make a valid integer, which they do; the place is checked.
        unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }

    @inline(__always)
    private static func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7f }
}

/// Eight bytes as one integer.
enum Word {
    @inline(__always)
    static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// High bits at bytes below 0x20 and at 0x7f, and perhaps at some that are above another of these or above a byte of 0xff.
    @inline(__always)
    static func controls(_ word: UInt64) -> UInt64 { ((word &- all(0x20)) | (word &+ all(0x01))) & ~word }
}

/// Classes of characters as bit sets: no table to initialise, no memory to read.
enum CharacterClass {
    /// RFC 9110, section 5.6.2: the characters of a token.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool { contains(byte, 0x03ff_6cfa_0000_0000, 0x57ff_ffff_c7ff_fffe) }

    /// RFC 3986, section 3.2.2: the characters of a host's name, commas excepted.
    @inline(__always)
    static func isName(_ byte: UInt8) -> Bool { contains(byte, 0x2bff_6ff2_0000_0000, 0x47ff_fffe_87ff_fffe) }

    @inline(__always)
    private static func contains(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        guard byte < 128 else { return false }
        return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }
}
