import TestSupport

/// Generates JSON texts and mutates them.
struct JSONMaker {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private static let numbers = [
        "0", "-0", "1", "-1", "7.0", "1e1", "1E+2", "-2.5e-3", "100", "9007199254740993", "9223372036854775807",
        "-9223372036854775808", "0.1", "12345.678",
    ]
    private static let pieces = [
        "a", "Z", "0", " ", "/", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u00e9", "é",
        "\\u20ac", "€", "\\ud83d\\ude00", "😀", "\\u0000", "\u{7f}", "{", "]", ":", ",",
    ]
    private static let spoilers =
        Array("\"\\{}[]:,0123456789-+.eEtfnu/ \n\u{1}a".utf8) + [0xc3, 0xa9, 0xff, 0xed, 0x80]

    mutating func text() -> [UInt8] { Array(value(depth: 0).utf8) }

    /// Changes, removes or inserts one to three bytes, or truncates the text.
    mutating func spoiled(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...3, using: &random) where !text.isEmpty {
            let place = Int.random(in: text.indices, using: &random)
            let byte = Self.spoilers.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<5, using: &random) {
            case 0: text[place] = byte
            case 1: text.remove(at: place)
            case 2: text.insert(byte, at: place)
            case 3: text.insert(text[place], at: place)
            default: text.removeSubrange(place...)
            }
        }
        return text
    }

    mutating func bytes() -> [UInt8] {
        (0..<Int.random(in: 0..<64, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Characters of JSON's grammar, in random order.
    mutating func noise() -> [UInt8] {
        (0..<Int.random(in: 0..<40, using: &random)).map { _ in Self.spoilers.randomElement(using: &random) ?? 0 }
    }

    private mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth < 4 ? 9 : 6), using: &random) {
        case 0: return "null"
        case 1: return Bool.random(using: &random) ? "true" : "false"
        case 2, 3: return Self.numbers.randomElement(using: &random) ?? "0"
        case 4, 5: return string()
        case 6: return "[" + list { $0.value(depth: depth + 1) } + "]"
        default:
            var place = 0
            return "{"
                + list { maker in
                    place += 1
                    return "\"\(place)" + maker.string().dropFirst() + maker.space() + ":" + maker.space()
                        + maker.value(depth: depth + 1)
                } + "}"
        }
    }

    private mutating func list(_ element: (inout JSONMaker) -> String) -> String {
        var parts: [String] = []
        for _ in 0..<Int.random(in: 0..<4, using: &random) { parts.append(space() + element(&self) + space()) }
        return parts.isEmpty ? space() : parts.joined(separator: ",")
    }

    private mutating func string() -> String {
        var text = "\""
        for _ in 0..<Int.random(in: 0..<6, using: &random) { text += Self.pieces.randomElement(using: &random) ?? "" }
        return text + "\""
    }

    private mutating func space() -> String { ["", "", "", " ", "\n\t", "\r"].randomElement(using: &random) ?? "" }
}
