extension UInt8 {
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isLowercaseLetter: Bool { (0x61...0x7A).contains(self) }
    var isLetter: Bool { (self | 0x20).isLowercaseLetter }
    var isHexDigit: Bool { isDigit || (0x61...0x66).contains(self | 0x20) }
}
