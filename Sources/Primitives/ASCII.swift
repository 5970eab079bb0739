/// ASCII's classes. No other letter or digit counts: U+212A, the sign of kelvin, is no `k`.
extension UInt8 {
    @inlinable public var isDigit: Bool { self &- 0x30 < 10 }
    @inlinable public var isLowercaseLetter: Bool { self &- 0x61 < 26 }
    @inlinable public var isLetter: Bool { (self | 0x20).isLowercaseLetter }
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
