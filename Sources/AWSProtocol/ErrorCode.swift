/// Finding the error code in a service's reply.
///
/// The rules are those of the protocol
/// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization): it stands in the header
/// `x-amzn-errortype`, or in the body's `__type` or `code`; a namespace ends with `#`, a URI begins at the first `:`.
public enum ErrorCode {
    /// The code of a reply, the header first; nothing if it names none.
    ///
    /// - Parameters:
    ///   - header: the value of `x-amzn-errortype`.
    ///   - body: the whole body, of any kind.
    ///   - isSuccess: whether the status is a good one. Such a body may well have a member `code` that is no error's.
    public static func find(header: String?, body: [UInt8], isSuccess: Bool = false) -> String? {
        if let header, let code = sanitized(header) { return code }
        let bytes = body.span
        guard let members = try? JSONReader.members(of: bytes) else { return nil }
        return find(in: members, of: bytes, isSuccess: isSuccess)
    }

    /// The code that the members of a body name; nothing if they name none.
    ///
    /// - Parameter isSuccess: whether the status is a good one.
    public static func find(in members: [JSONMember], of bytes: Span<UInt8>, isSuccess: Bool) -> String? {
        for name in isSuccess ? [type] : [type, code] {
            for member in members where member.name.equals(name, in: bytes) && member.value.kind == .string {
                if let code = sanitized(String(decoding: member.value.string(in: bytes), as: UTF8.self)) { return code }
            }
        }
        return nil
    }

    /// Whether a body with these members is an error's, whatever its status and whether a code can be made out.
    public static func isError(_ members: [JSONMember], of bytes: Span<UInt8>) -> Bool {
        for member in members where member.name.equals(type, in: bytes) { return true }
        return false
    }

    /// Whether a whole body is plainly an object that names no `__type`, so that one who only passes it on need not read it: it
    /// begins and ends as an object does, and nothing in it can spell that name.
    public static func isPlainlyAbsent(from body: Span<UInt8>) -> Bool {
        var (start, end) = (0, body.count)
        while start < end, isWhitespace(body[start]) { start += 1 }
        while start < end, isWhitespace(body[end - 1]) { end -= 1 }
        guard end - start >= 2, body[start] == UInt8(ascii: "{"), body[end - 1] == UInt8(ascii: "}"),
            // A name may be spelled with escapes.
            body.index(of: UInt8(ascii: "\\"), from: start) == nil
        else { return false }
        while let underscore = body.index(of: UInt8(ascii: "_"), from: start) {
            // The object's last byte is behind it.
            guard body[underscore + 1] != UInt8(ascii: "_") else { return false }
            start = underscore + 1
        }
        return true
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }

    private static let type = Array("__type".utf8)
    private static let code = Array("code".utf8)

    /// The bare code in one of its spellings; nothing if no characters of a code are left.
    public static func sanitized(_ text: String) -> String? {
        // By bytes: a character may hide a colon under a mark that combines with it.
        var code = Array(text.utf8)[...]
        if let colon = code.firstIndex(of: UInt8(ascii: ":")) { code = code[..<colon] }
        if let hash = code.lastIndex(of: UInt8(ascii: "#")) { code = code[(hash + 1)...] }
        while code.first == UInt8(ascii: " ") { code.removeFirst() }
        while code.last == UInt8(ascii: " ") { code.removeLast() }
        guard !code.isEmpty, code.allSatisfy(isCodeCharacter) else { return nil }
        return String(decoding: code, as: UTF8.self)
    }

    private static func isCodeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
