internal import Primitives

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
        var index = start
        while index < count {
            if self[index] == byte { return index }
            index += 1
        }
        return nil
    }

    /// Returns true if the bytes of `range` are `name`, which must be in lower case; case is ignored in the bytes.
    func equals(_ name: String, in range: Range<Int>) -> Bool {
        let range = range.clamped(to: indices)
        let name = name.utf8.span
        guard range.count == name.count else { return false }
        for offset in name.indices where self[range.lowerBound + offset].lowercased != name[offset] { return false }
        return true
    }

    /// Returns true if `name`, which must be in lower case, stands at `start`; case is ignored in the bytes.
    func equals(_ name: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start + name.count <= count else { return false }
        for offset in name.indices where self[start + offset].lowercased != name[offset] { return false }
        return true
    }

    func hasPrefix(_ name: String) -> Bool { equals(name, in: 0..<name.utf8.count) }

    /// Where the text of a line ends, before its line end; nil without a line end, and for a text with a control character.
    var endOfText: Int? {
        guard count > 0, self[count - 1] == UInt8(ascii: "\n") else { return nil }
        let end = count > 1 && self[count - 2] == UInt8(ascii: "\r") ? count - 2 : count - 1
        for index in 0..<end where self[index] < 0x20 && self[index] != 0x09 || self[index] == 0x7f { return nil }
        return end
    }

    /// The index of the colon after a field's name; nil without one, and for a name that is no token (RFC 9110 section 5.6.2).
    func fieldName(to end: Int) -> Int? {
        var index = 0
        while index < Swift.min(end, count), self[index].isTokenCharacter { index += 1 }
        return index > 0 && index < end && self[index] == UInt8(ascii: ":") ? index : nil
    }

    /// Returns true if `name` begins with these bytes.
    func begins(_ name: String) -> Bool {
        let name = name.utf8.span
        guard count <= name.count else { return false }
        for index in indices where self[index] != name[index] { return false }
        return true
    }

    /// The number in `range`; nil unless that is 1 to 18 digits.
    func decimal(_ range: Range<Int>) -> Int? {
        let range = range.clamped(to: indices)
        guard (1...18).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            guard self[index].isDigit else { return nil }
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

    /// RFC 9110 section 5.6.2.
    var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: isLetter || isDigit
        }
    }
}
