/// Translates a regular expression of a service model, in the notation that Java and ECMAScript share, to PCRE2's.
///
/// The differences (java.util.regex.Pattern; pcre2pattern(3)): `\uHHHH` and surrogate pairs of these, POSIX classes as properties
/// (`\p{Alnum}`), and a hyphen after a class in brackets (`[\w-.]`).
struct PatternNotation {
    private(set) var perl: [UInt8] = []
    /// True if there is a `.`: notations differ on whether it matches U+000D, U+0085, U+2028 and U+2029.
    private(set) var hasDot = false

    /// `nil` if PCRE2 does not support the notation, or if Java and ECMAScript differ.
    init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        var isInBrackets = false
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\\"):
                guard let escape = Self.escape(&rest, isInBrackets: isInBrackets) else { return nil }
                perl += escape.perl
                if isInBrackets, escape.isClass, rest.first == UInt8(ascii: "-") {
                    rest.removeFirst()
                    perl += #"\-"#.utf8
                }
                continue
            case UInt8(ascii: "["):
                // A class in a class is a union in Java and a bracket in ECMAScript; an empty class is an error in one of them.
                guard !isInBrackets, rest.first != UInt8(ascii: "]"), !rest.starts(with: "^]".utf8) else { return nil }
                isInBrackets = true
            case UInt8(ascii: "]"): isInBrackets = false
            // Java's intersection of classes.
            case UInt8(ascii: "&") where isInBrackets && rest.first == UInt8(ascii: "&"): return nil
            // Perl's verbs.
            case UInt8(ascii: "(") where !isInBrackets && rest.first == UInt8(ascii: "*"): return nil
            case UInt8(ascii: ".") where !isInBrackets: hasDot = true
            default: break
            }
            perl.append(byte)
        }
    }

    private struct Escape {
        var perl: [UInt8]
        /// True if it stands for several characters.
        var isClass = false
    }

    /// Reads the rest of an escape after its backslash; `nil` if it is not supported.
    private static func escape(_ rest: inout ArraySlice<UInt8>, isInBrackets: Bool) -> Escape? {
        guard let sign = rest.popFirst() else { return Escape(perl: [UInt8(ascii: "\\")]) }
        switch sign {
        case UInt8(ascii: "u"):
            return scalar(&rest).map { Escape(perl: Array("\\x{\(String($0.value, radix: 16))}".utf8)) }
        case UInt8(ascii: "p"), UInt8(ascii: "P"):
            for name in posixClasses where rest.starts(with: "{\(name)}".utf8) {
                rest.removeFirst(name.utf8.count + 2)
                let posix = "[:\(sign == UInt8(ascii: "P") ? "^" : "")\(name.lowercased()):]"
                return Escape(perl: Array((isInBrackets ? posix : "[\(posix)]").utf8), isClass: true)
            }
            guard rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else { return nil }
            let property = rest[...end]
            rest = rest[(end + 1)...]
            return Escape(perl: [UInt8(ascii: "\\"), sign] + property, isClass: true)
        // A quotation, in which brackets stand for themselves.
        case UInt8(ascii: "Q"): return nil
        default: return Escape(perl: [UInt8(ascii: "\\"), sign], isClass: "dDhHsSvVwW".utf8.contains(sign))
        }
    }

    /// The character of `HHHH`, or of a surrogate pair `HHHH\uHHHH`; `nil` for half a pair.
    private static func scalar(_ rest: inout ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard let unit = codeUnit(&rest) else { return nil }
        guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
        guard rest.starts(with: #"\u"#.utf8) else { return nil }
        rest.removeFirst(2)
        guard let trail = codeUnit(&rest), UTF16.isTrailSurrogate(trail) else { return nil }
        return UTF16.decode(.init([unit, trail]))
    }

    private static func codeUnit(_ rest: inout ArraySlice<UInt8>) -> UInt16? {
        let digits = rest.prefix(4)
        guard digits.count == 4, digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else {
            return nil
        }
        rest.removeFirst(4)
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Java's names; in lower case they are Perl's.
    private static let posixClasses = [
        "ASCII", "Alnum", "Alpha", "Blank", "Cntrl", "Digit", "Graph", "Lower", "Print", "Punct", "Space", "Upper",
        "XDigit",
    ]
}
