/// Splits a command into words as the SDKs split `credential_process`: at white space, with the quotes and backslashes of
/// POSIX's shell (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html, section 2.2), and no other feature.
enum CommandWords {
    /// A quote that is not closed, or a backslash at the end.
    struct Fault: Error {}

    static func split(_ text: String) throws(Fault) -> [String] {
        var words: [String] = []
        /// `nil` between words. An empty pair of quotes is an empty word.
        var word: [UInt8]?
        var quote: UInt8?
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            switch (quote, byte) {
            case (nil, UInt8(ascii: " ")), (nil, 0x09), (nil, 0x0a), (nil, 0x0d):
                if let word { words.append(String(decoding: word, as: UTF8.self)) }
                word = nil
            case (nil, UInt8(ascii: "'")), (nil, UInt8(ascii: "\"")):
                quote = byte
                word = word ?? []
            case (byte, _): quote = nil
            case (nil, UInt8(ascii: "\\")):
                guard let next = bytes.next() else { throw Fault() }
                word = (word ?? []) + [next]
            case (UInt8(ascii: "\""), UInt8(ascii: "\\")):
                guard let next = bytes.next() else { throw Fault() }
                // In double quotes a backslash escapes only these two.
                let isEscape = next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
                word = (word ?? []) + (isEscape ? [next] : [byte, next])
            default: word = (word ?? []) + [byte]
            }
        }
        guard quote == nil else { throw Fault() }
        if let word { words.append(String(decoding: word, as: UTF8.self)) }
        return words
    }
}
