/// A pattern that is a run of character classes with counts, of which only the last may vary, so that matching needs no
/// backtracking.
struct ClassRun: Sendable {
    private struct Item {
        /// The ASCII characters of the class. Of the others it has those of `\p{L}`, `\p{N}` and `\p{Z}` by the flags below.
        var low: UInt64 = 0
        var high: UInt64 = 0
        var hasLetters = false
        var hasNumbers = false
        var hasSeparators = false
        var minimum = 1
        var maximum = 1

        func contains(_ byte: UInt8) -> Bool {
            guard byte < 128 else { return false }
            return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
        }

        /// Returns true if a character beyond ASCII is in the class.
        func contains(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: hasLetters
            case .decimalNumber, .letterNumber, .otherNumber: hasNumbers
            case .spaceSeparator, .lineSeparator, .paragraphSeparator: hasSeparators
            default: false
            }
        }

        mutating func insert(_ byte: UInt8) {
            if byte < 64 { low |= 1 << UInt64(byte) } else { high |= 1 << UInt64(byte - 64) }
        }
    }

    /// `[z-a]`
    private struct ReversedRange: Error {}

    private var items: [Item] = []

    /// `nil` if the pattern has another form; `LimitedExpression` handles it then.
    ///
    /// - Throws: `PatternError` if the pattern has a range in reverse order.
    init?(_ pattern: String) throws(PatternError) {
        var rest = Array(pattern.utf8)[...]
        // Values are matched as a whole, so anchors at the ends have no effect.
        if rest.first == UInt8(ascii: "^") { rest.removeFirst() }
        if rest.last == UInt8(ascii: "$") { rest.removeLast() }
        // A group around the whole pattern has no effect. Inner groups are refused below: parentheses are not plain characters.
        if rest.first == UInt8(ascii: "("), rest.last == UInt8(ascii: ")") { rest = rest.dropFirst().dropLast() }
        while !rest.isEmpty {
            let found: Item?
            do throws(ReversedRange) { found = try Self.characters(&rest) } catch { throw PatternError(text: pattern) }
            guard var item = found, Self.count(&rest, of: &item) else { return nil }
            if let last = items.last, last.minimum != last.maximum { return nil }
            items.append(item)
        }
    }

    func matches(_ value: [UInt8]) -> Bool {
        var position = 0
        for item in items {
            var count = 0
            while count < item.maximum, position < value.count {
                if item.contains(value[position]) {
                    position += 1
                } else if value[position] >= 128, let (scalar, length) = Self.scalar(in: value, at: position),
                    item.contains(scalar)
                {
                    position += length
                } else {
                    break
                }
                count += 1
            }
            guard count >= item.minimum else { return false }
        }
        return position == value.count
    }

    /// The character of more than one byte at a position, and its number of bytes; `nil` if it is malformed.
    private static func scalar(in value: [UInt8], at position: Int) -> (scalar: Unicode.Scalar, length: Int)? {
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = value[position...].makeIterator()
        guard case .valid(let bytes) = decoder.parseScalar(from: &rest) else { return nil }
        return (Unicode.UTF8.decode(bytes), bytes.count)
    }

    /// A literal, a class in brackets, or `\p{ASCII}`.
    private static func characters(_ rest: inout ArraySlice<UInt8>) throws(ReversedRange) -> Item? {
        var item = Item()
        let ascii = Array(#"\p{ASCII}"#.utf8)
        if rest.starts(with: ascii) {
            rest.removeFirst(ascii.count)
            item.low = .max
            item.high = .max
            return item
        }
        guard let first = rest.popFirst() else { return nil }
        if first == UInt8(ascii: "[") { return try bracket(&rest) }
        if first == UInt8(ascii: "\\") { return escape(&rest, in: &item) ? item : nil }
        guard isPlain(first), !"^$.|?*+(){}]".utf8.contains(first) else { return nil }
        item.insert(first)
        return item
    }

    /// Reads the inside of `[…]`: characters, ranges, and a hyphen that cannot be part of a range.
    private static func bracket(_ rest: inout ArraySlice<UInt8>) throws(ReversedRange) -> Item? {
        var item = Item()
        guard rest.first != UInt8(ascii: "^") else { return nil }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]") { return item.low | item.high == 0 ? nil : item }
            let range = rest.first == UInt8(ascii: "-") ? rest.dropFirst().first : nil
            if byte == UInt8(ascii: "\\") {
                guard escape(&rest, in: &item) else { return nil }
                // Notations differ on a hyphen after a class, unless it is the last character.
                guard rest.first != UInt8(ascii: "-") || rest.dropFirst().first == UInt8(ascii: "]") else { return nil }
                continue
            }
            // `&&` is Java's intersection.
            guard isPlain(byte), byte != UInt8(ascii: "&") || rest.first != byte else { return nil }
            guard byte != UInt8(ascii: "-") || rest.first != byte else { return nil }
            if byte != UInt8(ascii: "-"), let end = range, end != UInt8(ascii: "]") {
                guard isPlain(end), end != UInt8(ascii: "-") else { return nil }
                guard byte <= end else { throw ReversedRange() }
                for member in byte...end { item.insert(member) }
                rest.removeFirst(2)
            } else {
                item.insert(byte)
            }
        }
        return nil
    }

    /// Reads the rest of an escape after its backslash: a class, or a sign that stands for itself. False for any other.
    private static func escape(_ rest: inout ArraySlice<UInt8>, in item: inout Item) -> Bool {
        for (name, members) in classes where rest.starts(with: name.utf8) {
            for member in members.utf8 { item.insert(member) }
            switch name {
            case "p{L}": item.hasLetters = true
            case "p{N}": item.hasNumbers = true
            case "p{Z}": item.hasSeparators = true
            default: break
            }
            rest.removeFirst(name.utf8.count)
            return true
        }
        // A backslash before any other letter or digit has another meaning.
        guard let sign = rest.popFirst(), isPlain(sign) || "[]\\".utf8.contains(sign) else { return false }
        guard !letters.utf8.contains(sign), !digits.utf8.contains(sign) else { return false }
        item.insert(sign)
        return true
    }

    private static let digits = "0123456789"
    private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    /// The ASCII characters of the classes, by Java's definition.
    private static let classes = [
        ("p{L}", letters), ("p{N}", digits), ("p{Z}", " "), ("d", digits), ("w", letters + digits + "_"),
        ("s", " \t\n\u{b}\u{c}\r"), ("t", "\t"), ("n", "\n"), ("r", "\r"),
    ]

    /// Reads `{n}`, `{n,m}`, `*`, `+`, `?` or no count; false for any other.
    private static func count(_ rest: inout ArraySlice<UInt8>, of item: inout Item) -> Bool {
        switch rest.first {
        case UInt8(ascii: "*"): (item.minimum, item.maximum) = (0, .max)
        case UInt8(ascii: "+"): (item.minimum, item.maximum) = (1, .max)
        case UInt8(ascii: "?"): (item.minimum, item.maximum) = (0, 1)
        case UInt8(ascii: "{"):
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return false }
            let bounds = String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self)
                .split(separator: ",", omittingEmptySubsequences: false)
            guard bounds.count == 1 || bounds.count == 2, let first = bounds.first, let last = bounds.last,
                let minimum = Int(first), let maximum = last.isEmpty ? .max : Int(last), minimum >= 0,
                maximum >= minimum
            else { return false }
            (item.minimum, item.maximum) = (minimum, maximum)
            rest = rest[end...]
        default: return true
        }
        rest.removeFirst()
        return true
    }

    /// Returns true for a character that stands for itself in brackets.
    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x20...0x7e).contains(byte) && byte != UInt8(ascii: "[") && byte != UInt8(ascii: "]")
            && byte != UInt8(ascii: "\\")
    }
}
