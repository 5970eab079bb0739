/// Reads the format of the shared `config` and `credentials` files: sections of settings, one a line.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html, and beyond it the rules of the SDKs: a comment begins with
/// `#` or `;` at the start of a line, or after white space behind a value; a line with more indentation than the setting above
/// continues its value; the later one of two settings with the same name is used; names of settings are case-insensitive.
struct SharedFileReader {
    struct Section: Equatable {
        /// The text between the brackets.
        let name: String
        var settings: [String: String] = [:]
    }

    /// A fault in the format. It does not contain the line, which may be a secret.
    struct Fault: Error, Equatable {
        /// The number of the line, from 1.
        let line: Int
        let message: String
    }

    private var sections: [Section] = []
    /// The number of the line that is read.
    private var line = 0
    /// The setting that a line with more indentation continues.
    private var setting: (name: String, indentation: Int)?

    /// - Throws: `Fault` for the first line that is not of the format.
    static func sections(_ bytes: [UInt8]) throws(Fault) -> [Section] {
        var reader = SharedFileReader()
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        // Split by bytes: CR LF is one Character in Swift.
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.last == 0x0d ? line.dropLast() : line
            reader.line = index + 1
            guard let text = String(validating: line, as: UTF8.self) else { throw reader.fault("is not UTF-8") }
            try reader.take(text[...])
        }
        return reader.sections
    }

    private func fault(_ message: String) -> Fault { Fault(line: line, message: message) }

    private mutating func take(_ line: Substring) throws(Fault) {
        let text = line.trimmed
        guard let first = text.first, first != "#", first != ";" else { return }
        let indentation = line.prefix { $0.isBlank }.count
        if let setting, indentation > setting.indentation {
            sections[sections.count - 1].settings[setting.name, default: ""] += "\n" + text
        } else if first == "[" {
            guard let end = text.firstIndex(of: "]") else {
                throw fault("has an opening bracket without a closing one")
            }
            let name = text[text.index(after: text.startIndex)..<end].trimmed
            guard !name.isEmpty else { throw fault("names no section") }
            sections.append(Section(name: String(name)))
            setting = nil
        } else {
            guard let sign = text.firstIndex(of: "=") else { throw fault("is no setting: it has no '='") }
            let name = text[..<sign].trimmed.lowercased()
            guard !name.isEmpty else { throw fault("has no name before its '='") }
            guard !sections.isEmpty else { throw fault("stands before the first section") }
            sections[sections.count - 1].settings[name] = String(Self.value(text[text.index(after: sign)...]))
            setting = (name, indentation)
        }
    }

    /// The value without a comment at its end.
    private static func value(_ text: Substring) -> Substring {
        var wasBlank = false
        for index in text.indices {
            if wasBlank, text[index] == "#" || text[index] == ";" { return text[..<index].trimmed }
            wasBlank = text[index].isBlank
        }
        return text.trimmed
    }
}

extension Character {
    fileprivate var isBlank: Bool { self == " " || self == "\t" }
}

extension Substring {
    /// The text without spaces and tabs at its ends.
    fileprivate var trimmed: Substring {
        var text = drop { $0.isBlank }
        while let last = text.last, last.isBlank { text.removeLast() }
        return text
    }
}
