/// ASCII's classes. No other letter or digit counts: U+212A, the sign of kelvin, is no `k`.
extension UInt8 {
    @inlinable public var isDigit: Bool { self &- 0x30 < 10 }
    @inlinable public var isLowercaseLetter: Bool { self &- 0x61 < 26 }
    @inlinable public var isLetter: Bool { (self | 0x20).isLowercaseLetter }
    /// True for a space and a tab.
    @inlinable public var isBlank: Bool { self == 0x20 || self == 0x09 }
    @inlinable public var isHexDigit: Bool { hexDigitValue != nil }

    /// The byte, a capital letter as the small one.
    @inlinable public var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    /// 0 to 15; `nil` for a byte that is no hexadecimal digit.
    @inlinable public var hexDigitValue: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}

extension Span<UInt8> {
    /// A range, which lies in the span, without the blanks at its ends.
    @inlinable public func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        while lower < upper, self[lower].isBlank { lower += 1 }
        while upper > lower, self[upper - 1].isBlank { upper -= 1 }
        return lower..<upper
    }

    /// The number in a range; `nil` unless that lies in the span and is 1 to 18 digits.
    @inlinable public func number(_ range: Range<Int>) -> Int64? {
        guard (1...18).contains(range.count), range.lowerBound >= 0, range.upperBound <= count else { return nil }
        var number: Int64 = 0
        for index in range {
            guard self[index].isDigit else { return nil }
            number = number * 10 + Int64(self[index] &- 0x30)
        }
        return number
    }
}

extension [UInt8] {
    /// Appends a number that is not negative, with leading zeros.
    ///
    /// - Parameter digits: their least number.
    public mutating func append(_ number: Int64, digits: Int) {
        let text = "\(number)".utf8
        append(contentsOf: repeatElement(UInt8(ascii: "0"), count: Swift.max(0, digits - text.count)))
        append(contentsOf: text)
    }

    /// Appends the two hexadecimal digits of a byte.
    public mutating func append(hexadecimal byte: UInt8, uppercase: Bool = false) {
        let letter = UInt8(ascii: uppercase ? "A" : "a") - 10
        append(byte >> 4 + (byte >> 4 < 10 ? UInt8(ascii: "0") : letter))
        append(byte & 15 + (byte & 15 < 10 ? UInt8(ascii: "0") : letter))
    }

    /// Appends a byte in the percent-encoding of RFC 3986, section 2.1, with upper-case digits. Unreserved characters (section 2.3)
    /// are not encoded.
    public mutating func append(percentEncoding byte: UInt8) {
        if byte.isLetter || byte.isDigit || "-._~".utf8.contains(byte) { return append(byte) }
        append(UInt8(ascii: "%"))
        append(hexadecimal: byte, uppercase: true)
    }
}
