/// Texts as YAML has them.
enum YAMLWord {
    /// A key: as it is where that is a plain word, else in quotes.
    static func key(_ text: String) -> String { value(text) }

    /// A value: as it is where that is a plain word, with `!` at its end or without, else in quotes.
    static func value(_ text: String) -> String {
        let body = text.utf8.last == UInt8(ascii: "!") ? text.utf8.dropLast() : text.utf8[...]
        let isPlain =
            body.first.map(isLetter) == true && body.count <= 128
            && body.allSatisfy {
                isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            }
        return isPlain && !special.contains(text.lowercased()) ? text : quoted(text)
    }

    /// In single quotes, in which nothing but the quote means anything; line ends and the like have no place in a catalog.
    static func quoted(_ text: String) -> String {
        "'\(text.replacing("'", with: "''"))'"
    }

    private static let special: Set<String> = ["y", "n", "yes", "no", "true", "false", "on", "off", "null"]

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
