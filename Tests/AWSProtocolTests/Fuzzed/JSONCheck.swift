import AWSProtocol

/// The invariants of the JSON reader. The fuzzer and the tests check them for every input.
enum JSONCheck {
    /// The violated invariant, `nil` if all hold.
    static func fault(_ text: [UInt8]) -> String? {
        do throws(JSONError) {
            let token = try JSONReader.value(of: text.span)
            return ofAccepted(text, token) ?? ofMembers(text, token)
        } catch {
            return ofRefused(text, error)
        }
    }

    /// An accepted text has one canonical spelling with the same meaning, and Foundation reads both.
    private static func ofAccepted(_ text: [UInt8], _ token: JSONToken) -> String? {
        let tree = JSONValue(token, in: text.span)
        let canonical = tree.serialized()
        guard let again = try? JSONValue(canonical) else { return "the canonical spelling is refused" }
        guard again == tree else { return "the canonical spelling means something else: \(again), not \(tree)" }
        guard again.serialized() == canonical else { return "canonical twice is not the same as once" }
        return FoundationReading.difference(tree, text) ?? FoundationReading.difference(tree, canonical)
    }

    /// `members(of:)` accepts the same text if it is an object, and refuses it otherwise.
    private static func ofMembers(_ text: [UInt8], _ token: JSONToken) -> String? {
        do throws(JSONError) {
            let members = try JSONReader.members(of: text.span)
            guard token.kind == .object else { return "members of \(token.kind)" }
            guard case .object(let others) = JSONValue(token, in: text.span) else { return "no object" }
            let names = members.map { String(decoding: $0.name.string(in: text.span), as: UTF8.self) }
            guard names.count == others.count, zip(names, others).allSatisfy({ $0.utf8.elementsEqual($1.name.utf8) })
            else { return "members \(names), not those of the tree" }
            return nil
        } catch {
            return token.kind == .object ? "members refused: \(error)" : nil
        }
    }

    /// The position of a fault lies in the text. If Foundation accepts the text, the reason is one that is stricter on purpose.
    private static func ofRefused(_ text: [UInt8], _ error: JSONError) -> String? {
        guard (0...text.count).contains(error.offset) else { return "refused outside of the text: \(error)" }
        if (try? JSONReader.members(of: text.span)) != nil { return "its members are read" }
        switch error.reason {
        // Stricter than Foundation, because readers disagree about these.
        case .duplicateMember, .tooDeep, .invalidUTF8, .invalidEscape: return nil
        default: break
        }
        // Foundation accepts a comma after the last element.
        if text[error.offset...].first.map({ $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "}") }) ?? false {
            return nil
        }
        // Foundation detects UTF-16 and UTF-32 by zeros or by a byte order mark.
        guard !text.contains(0), text.first.map({ $0 < 0x80 }) ?? true else { return nil }
        return FoundationReading.accepts(text) ? "refused (\(error)), accepted by Foundation" : nil
    }
}
