internal import Yams

/// Reads YAML by Yams, without the notations that Yams handles badly.
///
/// Yams follows aliases without a bound: a file of a kilobyte can stand for 2⁵⁰ values and be hashed for years, and one
/// of a mebibyte can nest so deep that freeing it overflows the stack. It also gives up at the first repeated key. So before it sees the text, each `&` and `*`
/// (anchors, aliases), `!` (tags) and `?` (keys that are not plain) is replaced by a private-use character, which means
/// nothing to YAML; in the values the characters are put back, and a plain value that begins with one is a fault. A
/// repeated key is renamed the same way, and the text read again.
public enum YAMLText {
    private static let indicators: [Unicode.Scalar] = ["&", "*", "!", "?"]
    /// Repeated keys that are looked for: each costs one reading of the text.
    static let maxRepeats = 32
    /// Values inside values. Yams itself stops near 1,000; a configuration has 5.
    static let maxDepth = 32

    /// The only document of a file; nil if it is empty or cannot be read. The latter leaves a fault.
    ///
    /// - Parameter mebibytes: how large the file may be.
    public static func tree(of bytes: [UInt8], mebibytes: Int = 1, faults: FaultCollector) -> Tree? {
        if bytes.count <= mebibytes << 20, let tree = PlainYAML.tree(of: bytes) { return tree }
        return SourceText(bytes, mebibytes: mebibytes, faults: faults).flatMap { tree(of: $0, faults: faults) }
    }

    /// The file's only document; nil if it is empty or cannot be read. The latter leaves a fault.
    public static func tree(of source: SourceText, faults: FaultCollector) -> Tree? {
        var text = source.replacing { indicators.contains($0) ? standIn(for: $0) : $0 }
        for round in 0...maxRepeats {
            do {
                guard let node = try compose(yaml: text.string, .basic, .default, .utf8) else { return nil }
                return YAMLTree(faults: faults).tree(node, at: .root)
            } catch let YamlError.duplicatedKeysInMapping(keys, context) {
                guard round < maxRepeats, let renamed = renaming(context.mark, of: text, round: round) else {
                    let key = restored(keys.first ?? "").quoted
                    faults.add(line: context.mark.line, "\(key) is set more than once: keep one of them")
                    return nil
                }
                text = renamed
            } catch {
                let fault = YAMLSyntaxFault(error, in: text)
                faults.add(line: fault.line, fault.message)
                return nil
            }
        }
        return nil
    }

    /// The text with another key at the mark; `nil` if the key is not a scalar.
    private static func renaming(_ mark: Mark, of text: SourceText, round: Int) -> SourceText? {
        guard let place = text.place(line: mark.line, column: mark.column) else { return nil }
        guard let prefix = Unicode.Scalar(firstRename + UInt32(round)) else { return nil }
        switch text.scalars[place] {
        case "[", "{": return nil
        case "\"", "'": return text.inserting(prefix, at: place + 1)
        default: return text.inserting(prefix, at: place)
        }
    }

    private static let firstStandIn: UInt32 = 0x10_0000
    private static let firstRename: UInt32 = 0x10_1000

    private static func standIn(for indicator: Unicode.Scalar) -> Unicode.Scalar {
        Unicode.Scalar(firstStandIn + indicator.value) ?? indicator
    }

    /// The indicator that a plain value began with, if it did.
    static func indicator(at scalar: Unicode.Scalar?) -> Unicode.Scalar? {
        guard let scalar else { return nil }
        return indicators.first { standIn(for: $0) == scalar }
    }

    /// Yams' text as the file has it.
    static func restored(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value >= firstStandIn }) else { return text }
        var view = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where !(firstRename...firstRename + UInt32(maxRepeats) ~= scalar.value) {
            view.append(indicator(at: scalar) ?? scalar)
        }
        return String(view)
    }
}
