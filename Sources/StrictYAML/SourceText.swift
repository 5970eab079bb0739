/// The characters of a file, by line and column.
///
/// Characters that no editor shows (control characters, odd line ends, private-use characters) are refused: so line numbers are those of the
/// editor.
public struct SourceText {
    private let scalars: [Unicode.Scalar]
    private let lineStarts: [Int]

    /// Nil, and a fault, if the bytes are too many or are not plain UTF-8 text.
    ///
    /// - Parameter mebibytes: how large the file may be.
    public init?(_ bytes: [UInt8], mebibytes: Int = 1, faults: FaultCollector) {
        guard bytes.count <= mebibytes << 20 else {
            faults.add(line: 1, "the file has \(bytes.count) bytes; at most \(mebibytes)MiB are read")
            return nil
        }
        var scalars: [Unicode.Scalar] = []
        scalars.reserveCapacity(bytes.count)
        var line = 1
        var rest = bytes.makeIterator()
        var decoder = UTF8.ForwardParser()
        decoding: while true {
            switch decoder.parseScalar(from: &rest) {
            case .emptyInput: break decoding
            case .error:
                faults.add(line: line, "holds bytes that are not UTF-8: save the file as UTF-8")
                return nil
            case .valid(let encoded):
                let scalar = UTF8.decode(encoded)
                if scalar == "\u{FEFF}", scalars.isEmpty, line == 1 { continue }
                guard Self.isPlain(scalar) else {
                    let number = String(scalar.value, radix: 16, uppercase: true)
                    faults.add(line: line, "holds the invisible character U+\(number): remove it")
                    return nil
                }
                if scalar == "\n" || scalars.last == "\r" { line += 1 }
                scalars.append(scalar)
            }
        }
        self.init(scalars)
    }

    private init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
        var lineStarts = [0]
        for (place, scalar) in zip(0..., scalars) {
            let endsInCarriageReturn = scalar == "\r" && (place + 1 >= scalars.count || scalars[place + 1] != "\n")
            if scalar == "\n" || endsInCarriageReturn { lineStarts.append(place + 1) }
        }
        self.lineStarts = lineStarts
    }

    /// Returns true if a `?` stands before the key at a place, with nothing but spaces between them.
    func isExplicitKey(at place: Int) -> Bool {
        var before = scalars.prefix(max(0, place))
        while before.last == " " { before.removeLast() }
        return before.last == "?"
    }

    /// A line without its end; empty past the last one.
    func line(_ number: Int) -> ArraySlice<Unicode.Scalar> {
        guard number >= 1, number <= lineStarts.count else { return [] }
        let end = number < lineStarts.count ? lineStarts[number] : scalars.count
        return scalars[lineStarts[number - 1]..<end]
    }

    var utf8: [UInt8] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return Array(String(view).utf8)
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D: true
        case 0..<0x20, 0x7F..<0xA0: false
        // Line ends to YAML, but not to editors.
        case 0x2028, 0x2029: false
        case 0xFEFF, 0xFFFE, 0xFFFF: false
        // The private-use planes, and those that are not assigned.
        case 0xF_0000...: false
        default: true
        }
    }
}
