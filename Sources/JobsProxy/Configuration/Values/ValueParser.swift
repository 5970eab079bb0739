internal import Primitives
internal import StrictYAML

struct ValueParser<Value> {
    let read: (Tree.Scalar) throws(Problem) -> Value
}

/// The problem with a value and its remedy: the end of the sentence "KEY: …".
struct Problem: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

extension ValueParser where Value == Bool {
    /// Yes or no, in YAML 1.2's words.
    static var flag: ValueParser {
        ValueParser { scalar throws(Problem) in
            switch (scalar.isPlain, scalar.text) {
            case (true, "true"): return true
            case (true, "false"): return false
            default: throw Problem("must be true or false, not \(scalar.text.quoted)")
            }
        }
    }
}

extension ValueParser where Value == String {
    /// Any text but none at all.
    static var text: ValueParser {
        ValueParser { scalar throws(Problem) in
            guard !scalar.isNull, !scalar.text.isEmpty else { throw Problem("must not be empty") }
            return scalar.text
        }
    }

    /// A name that fits a metric label, a key and a query.
    static var name: ValueParser {
        ValueParser { scalar throws(Problem) in
            guard isName(scalar.text) else {
                throw Problem("must be 1 to 64 letters, digits, '-', '_' or '.', not \(scalar.text.quoted)")
            }
            return scalar.text
        }
    }

    /// An operation or `service:operation`, each half a pattern.
    static var operationName: ValueParser {
        ValueParser { scalar throws(Problem) in
            let parts = scalar.text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard (1...2).contains(parts.count), parts.allSatisfy({ isWord($0, atMost: 128, with: "-_.*?") }) else {
                throw Problem(
                    "must be an operation or service:operation, either with * for any characters and ? for one, not "
                        + scalar.text.quoted)
            }
            return scalar.text
        }
    }

    /// An id that fits a credential scope. It is not shown: it may be a secret in the wrong place.
    static var accessKeyID: ValueParser {
        ValueParser { scalar throws(Problem) in
            guard isWord(scalar.text, atMost: 128, with: "-_.") else {
                throw Problem("must be 1 to 128 letters, digits, '-', '_' or '.'")
            }
            return scalar.text
        }
    }

    static func isName(_ text: String) -> Bool { isWord(text, atMost: 64, with: "-_.") }

    /// Returns true for one to `most` letters, digits and some other characters.
    static func isWord(_ text: String, atMost most: Int, with others: String) -> Bool {
        (1...most).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || others.utf8.contains($0) }
    }

    static var region: ValueParser {
        ValueParser { scalar throws(Problem) in
            let bytes = scalar.text.utf8
            let isWord = bytes.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
            guard isWord, (3...32).contains(bytes.count), bytes.contains(UInt8(ascii: "-")) else {
                throw Problem("must be a Region such as us-east-1, not \(scalar.text.quoted)")
            }
            return scalar.text
        }
    }
}

extension ValueParser where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: ValueParser {
        ValueParser { scalar throws(Problem) in
            if let value = Value(rawValue: scalar.text) { return value }
            let words = Value.allCases.map(\.rawValue)
            let list = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
            throw Problem("must be \(list), not \(scalar.text.quoted)")
        }
    }
}
