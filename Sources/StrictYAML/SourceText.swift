/// The characters of a file, by line and column.
///
/// Characters that no editor shows (control characters, odd line ends, private-use characters) are refused: so line numbers are
/// those of the editor, and the private-use characters are free for `YAMLText`.
public struct SourceText {
    private(set) var scalars: [Unicode.Scalar]
    private var lineStarts: [Int]

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
        lineStarts = [0]
        for (place, scalar) in zip(0..., scalars) {
            let endsInCarriageReturn = scalar == "\r" && (place + 1 >= scalars.count || scalars[place + 1] != "\n")
            if scalar == "\n" || endsInCarriageReturn { lineStarts.append(place + 1) }
        }
    }

    /// The same text with other characters; lines and columns stay.
    func replacing(_ replacement: (Unicode.Scalar) -> Unicode.Scalar) -> SourceText {
        var copy = self
        copy.scalars = scalars.map(replacement)
        return copy
    }

    /// The same text with one more character, which must not end a line.
    func inserting(_ scalar: Unicode.Scalar, at place: Int) -> SourceText {
        var copy = scalars
        copy.insert(scalar, at: place)
        return SourceText(copy)
    }

    /// The place in `scalars` of a line (from 1) and column (from 1, in characters); `nil` past the end.
    func place(line: Int, column: Int) -> Int? {
        guard line >= 1, line <= lineStarts.count, column >= 1 else { return nil }
        let (place, overflow) = lineStarts[line - 1].addingReportingOverflow(column - 1)
        return overflow || place >= scalars.count ? nil : place
    }

    /// A line without its end; empty past the last one.
    func line(_ number: Int) -> ArraySlice<Unicode.Scalar> {
        guard number >= 1, number <= lineStarts.count else { return [] }
        let end = number < lineStarts.count ? lineStarts[number] : scalars.count
        return scalars[lineStarts[number - 1]..<end]
    }

    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
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
