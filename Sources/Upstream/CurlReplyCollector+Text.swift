/// Reading ASCII in place. Ranges that leave the span are cut to it, so none of these can trap.
extension Span<UInt8> {
    /// `range` without the white space at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var range = range.clamped(to: indices)
        while let first = range.first, self[first].isSpace { range = first + 1..<range.upperBound }
        while let last = range.last, self[last].isSpace { range = range.lowerBound..<last }
        return range
    }

    func firstIndex(of byte: UInt8, from start: Int) -> Int? {
        (start..<Swift.max(start, count)).first { self[$0] == byte }
    }

    /// Whether the bytes of `range` are `name`, which must be in lower case; theirs may be in any.
    func equals(_ name: String, in range: Range<Int>) -> Bool {
        let range = range.clamped(to: indices)
        let name = name.utf8.span
        guard range.count == name.count else { return false }
        for offset in name.indices where self[range.lowerBound + offset].lowercased != name[offset] { return false }
        return true
    }

    /// Whether `name`, which must be in lower case, stands at a place; the bytes there may be in any.
    func equals(_ name: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start + name.count <= count else { return false }
        for offset in name.indices where self[start + offset].lowercased != name[offset] { return false }
        return true
    }

    func hasPrefix(_ name: String) -> Bool {
        equals(name, in: 0..<name.utf8.count)
    }

    /// Whether it is what `name`, in lower case, begins with.
    func begins(_ name: String) -> Bool {
        let name = name.utf8.span
        guard count <= name.count else { return false }
        for index in indices where self[index].lowercased != name[index] { return false }
        return true
    }

    /// The number that `range` spells, 1 to 18 digits and nothing else.
    func decimal(_ range: Range<Int>) -> Int? {
        let range = range.clamped(to: indices)
        guard (1...18).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            guard case 48...57 = self[index] else { return nil }
            number = number * 10 + Int(self[index] - 48)
        }
        return number
    }

    /// The text of `range`; what is no UTF-8 is replaced.
    func text(_ range: Range<Int>) -> String {
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe extracting(range.clamped(to: indices)).withUnsafeBufferPointer { bytes in
            unsafe String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension UInt8 {
    var isSpace: Bool { self == 32 || (9...13).contains(self) }
    fileprivate var lowercased: UInt8 { (65...90).contains(self) ? self | 32 : self }
}
