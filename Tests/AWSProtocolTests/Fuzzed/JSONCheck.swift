import AWSProtocol

/// What must hold of the JSON reader whatever the text. The fuzzer and the tests ask this of every input.
enum JSONCheck {
    /// What is wrong; nothing if all is well.
    static func fault(_ text: [UInt8]) -> String? {
        do throws(JSONError) {
            let token = try JSONReader.value(of: text.span)
            return ofAccepted(text, token) ?? ofMembers(text, token)
        } catch {
            return ofRefused(text, error)
        }
    }

    /// An accepted text has one canonical spelling, which means the same, and Foundation reads both.
    private static func ofAccepted(_ text: [UInt8], _ token: JSONToken) -> String? {
        let tree = JSONValue(token, in: text.span)
        let canonical = tree.serialized()
        guard let again = try? JSONValue(canonical) else { return "the canonical spelling is refused" }
        guard again == tree else { return "the canonical spelling means something else: \(again), not \(tree)" }
        guard again.serialized() == canonical else { return "canonical twice is not the same as once" }
        return FoundationReading.difference(tree, text) ?? FoundationReading.difference(tree, canonical)
    }

    /// An object's members are read by the reader of members too, and nothing else is.
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

    /// A text is refused at a place in it; and where Foundation takes it, for a reason that is meant.
    private static func ofRefused(_ text: [UInt8], _ error: JSONError) -> String? {
        guard (0...text.count).contains(error.offset) else { return "refused outside of the text: \(error)" }
        if (try? JSONReader.members(of: text.span)) != nil { return "its members are read" }
        switch error.reason {
        // These are stricter than Foundation, because readers disagree about them.
        case .duplicateMember, .tooDeep, .invalidUTF8, .invalidEscape: return nil
        default: break
        }
        // Foundation takes a comma after the last element.
        if text[error.offset...].first.map({ $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "}") }) ?? false {
            return nil
        }
        // By its zeros, or its first bytes, Foundation takes a text for UTF-16 or UTF-32.
        guard !text.contains(0), text.first.map({ $0 < 0x80 }) ?? true else { return nil }
        return FoundationReading.accepts(text) ? "refused (\(error)), accepted by Foundation" : nil
    }
}
