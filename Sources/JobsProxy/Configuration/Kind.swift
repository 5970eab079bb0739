internal import StrictYAML

/// What one value of the file must look like, and what it becomes.
struct Kind<Value> {
    let read: (Tree.Scalar) throws(Complaint) -> Value
}

/// What is wrong with a value, and how to mend it: the end of the sentence "KEY: …".
struct Complaint: Error {
    let text: String

    init(_ text: String) { self.text = text }
}

extension Kind where Value == Bool {
    /// Yes or no, in YAML 1.2's words.
    static var flag: Kind {
        Kind { scalar throws(Complaint) in
            switch (scalar.isPlain, scalar.text) {
            case (true, "true"): return true
            case (true, "false"): return false
            default: throw Complaint("must be true or false, not \(scalar.text.quoted)")
            }
        }
    }
}

// MARK: Words

extension Kind where Value == String {
    /// Any text but none at all.
    static var text: Kind {
        Kind { scalar throws(Complaint) in
            guard !scalar.isNull, !scalar.text.isEmpty else { throw Complaint("must not be empty") }
            return scalar.text
        }
    }

    /// What may stand in a metric label, a key and a query: letters, digits, `-`, `_` and `.`, 64 at most.
    static var name: Kind {
        Kind { scalar throws(Complaint) in
            guard isName(scalar.text) else {
                throw Complaint("must be 1 to 64 letters, digits, '-', '_' or '.', not \(scalar.text.quoted)")
            }
            return scalar.text
        }
    }

    /// What may stand in a credential scope: letters, digits, `-`, `_` and `.`, 128 at most.
    static var accessKeyID: Kind {
        Kind { scalar throws(Complaint) in
            let bytes = scalar.text.utf8
            guard (1...128).contains(bytes.count),
                bytes.allSatisfy({ $0.isLetter || $0.isDigit || "-_.".utf8.contains($0) })
            else { throw Complaint("must be 1 to 128 letters, digits, '-', '_' or '.'") }
            return scalar.text
        }
    }

    static func isName(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...64).contains(bytes.count)
            && bytes.allSatisfy { $0.isLetter || $0.isDigit || "-_.".utf8.contains($0) }
    }

    static var region: Kind {
        Kind { scalar throws(Complaint) in
            let bytes = scalar.text.utf8
            let isWord = bytes.allSatisfy { $0.isLowercaseLetter || $0.isDigit || $0 == UInt8(ascii: "-") }
            guard isWord, (3...32).contains(bytes.count), bytes.contains(UInt8(ascii: "-")) else {
                throw Complaint("must be a Region such as us-east-1, not \(scalar.text.quoted)")
            }
            return scalar.text
        }
    }
}

extension Kind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of a few words.
    static var choice: Kind {
        Kind { scalar throws(Complaint) in
            if let value = Value(rawValue: scalar.text) { return value }
            let words = Value.allCases.map(\.rawValue)
            let list = words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
            throw Complaint("must be \(list), not \(scalar.text.quoted)")
        }
    }
}
