/// Reads the format of the shared `config` and `credentials` files: sections of settings, one a line.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html, and where it is silent, what the SDKs do: a comment begins
/// with `#` or `;` at the start of a line, or after white space behind a value; a line that is indented more than the setting
/// above goes on with its value; of two settings of a name the later one holds; names of settings have no case.
struct SharedFileReader {
    struct Section: Equatable {
        /// As it stands between the brackets.
        let name: String
        var settings: [String: String] = [:]
    }

    /// Why a text is not of this format. The line's content is not in it, because it may be a secret.
    struct Fault: Error, Equatable {
        /// From 1.
        let line: Int
        let message: String
    }

    private(set) var sections: [Section] = []
    /// The setting that a more indented line belongs to.
    private var setting: (name: String, indentation: Int)?

    /// - Throws: `Fault`.
    static func sections(_ bytes: [UInt8]) throws(Fault) -> [Section] {
        var reader = SharedFileReader()
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        // Split by bytes: to Swift, CR and LF are one character.
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let line = line.last == 0x0d ? line.dropLast() : line
            guard let text = String(validating: line, as: UTF8.self) else {
                throw Fault(line: index + 1, message: "is not UTF-8")
            }
            do throws(Complaint) {
                try reader.take(text[...])
            } catch {
                throw Fault(line: index + 1, message: error.message)
            }
        }
        return reader.sections
    }

    private struct Complaint: Error {
        let message: String
    }

    private mutating func take(_ line: Substring) throws(Complaint) {
        let text = line.trimmed
        guard let first = text.first, first != "#", first != ";" else { return }
        let indentation = line.prefix { $0.isBlank }.count
        if let setting, indentation > setting.indentation {
            sections[sections.count - 1].settings[setting.name, default: ""] += "\n" + text
        } else if first == "[" {
            guard let end = text.firstIndex(of: "]") else {
                throw Complaint(message: "has an opening bracket without a closing one")
            }
            let name = text[text.index(after: text.startIndex)..<end].trimmed
            guard !name.isEmpty else { throw Complaint(message: "names no section") }
            sections.append(Section(name: String(name)))
            setting = nil
        } else {
            guard let sign = text.firstIndex(of: "=") else { throw Complaint(message: "is no setting: it has no '='") }
            let name = text[..<sign].trimmed.lowercased()
            guard !name.isEmpty else { throw Complaint(message: "has no name before its '='") }
            guard !sections.isEmpty else { throw Complaint(message: "stands before the first section") }
            sections[sections.count - 1].settings[name] = String(Self.value(text[text.index(after: sign)...]))
            setting = (name, indentation)
        }
    }

    /// The text without the comment behind it.
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
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: Substring {
        var text = drop { $0.isBlank }
        while let last = text.last, last.isBlank { text.removeLast() }
        return text
    }
}
