/// A regular expression of a service model, which Java and ECMAScript understand, in the notation of Perl, which PCRE2 does.
///
/// What is different (java.util.regex.Pattern; pcre2pattern(3)): `\uHHHH` and its surrogate pairs, the POSIX classes as properties
/// (`\p{Alnum}`), and a hyphen after a class in brackets (`[\w-.]`).
struct PatternNotation {
    private(set) var perl: [UInt8] = []
    /// Whether there is a `.`, of which notations differ whether it stands for U+000D, U+0085, U+2028 and U+2029.
    private(set) var hasDot = false

    /// Nil where PCRE2 has no such notation, or where Java and ECMAScript differ.
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
                // Java reads a class in a class as a union, ECMAScript a bracket; an empty one is an error to one of them.
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
        /// Whether it stands for several characters.
        var isClass = false
    }

    /// What follows a backslash.
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
        // Quotation, in which brackets mean nothing.
        case UInt8(ascii: "Q"): return nil
        default: return Escape(perl: [UInt8(ascii: "\\"), sign], isClass: "dDhHsSvVwW".utf8.contains(sign))
        }
    }

    /// The character of `HHHH`, or of `HHHH\uHHHH` if that is a pair of surrogates; nil for half a pair.
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

    /// Java's names; in small letters they are Perl's.
    private static let posixClasses = [
        "ASCII", "Alnum", "Alpha", "Blank", "Cntrl", "Digit", "Graph", "Lower", "Print", "Punct", "Space", "Upper",
        "XDigit",
    ]
}
