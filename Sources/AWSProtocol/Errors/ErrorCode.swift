/// Finding the error code in a service's reply.
///
/// The rules are those of the protocol
/// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization): it stands in the header
/// `x-amzn-errortype`, or in the body's `__type` or `code`; a namespace ends with `#`, a URI begins at the first `:`.
public enum ErrorCode {
    /// The code of a reply, the header first; nil if it names none.
    ///
    /// - Parameters:
    ///   - header: the value of `x-amzn-errortype`.
    ///   - body: the whole body, of any kind.
    ///   - isSuccess: whether the status is a good one. See `find(in:of:isSuccess:)`.
    public static func find(header: String?, body: [UInt8], isSuccess: Bool = false) -> String? {
        if let header, let code = sanitized(header) { return code }
        let bytes = body.span
        guard let members = try? JSONReader.members(of: bytes) else { return nil }
        return find(in: members, of: bytes, isSuccess: isSuccess)
    }

    /// The code that the members of a body name; nil if they name none.
    ///
    /// - Parameter isSuccess: whether the status is a good one. `__type` may then name an output, and `code` is an error's only
    ///   where there is nothing but a message beside it.
    public static func find(in members: [JSONMember], of bytes: Span<UInt8>, isSuccess: Bool) -> String? {
        for name in isSuccess && !isBareError(members, of: bytes) ? [type] : [type, code] {
            for member in members where member.name.equals(name, in: bytes) && member.value.kind == .string {
                guard let code = sanitized(String(decoding: member.value.string(in: bytes), as: UTF8.self)),
                    !isSuccess || !isOutput(code)
                else { continue }
                return code
            }
        }
        return nil
    }

    /// Returns true if an object with these members has a `__type` that is not an output's and not null, whatever its status and
    /// whether a code can be made out. Such a one is never a page.
    public static func isError(_ members: [JSONMember], of bytes: Span<UInt8>) -> Bool {
        for member in members where member.name.equals(type, in: bytes) && member.value.kind != .null {
            let code = sanitized(String(decoding: member.value.string(in: bytes), as: UTF8.self))
            return code.map { !isOutput($0) } ?? true
        }
        return isBareError(members, of: bytes)
    }

    /// Returns true if the members are those of an error without `__type`: `code` and `message`, both texts, and nothing else.
    private static func isBareError(_ members: [JSONMember], of bytes: Span<UInt8>) -> Bool {
        guard members.count == 2 else { return false }
        return [[code], messages].allSatisfy { names in
            members.contains { member in
                member.value.kind == .string && names.contains { member.name.equals($0, in: bytes) }
            }
        }
    }

    /// Returns true if a `__type` is the name of an output shape, which some services write into good answers too.
    private static func isOutput(_ code: String) -> Bool {
        ["Response", "Output", "Result"].contains { code.utf8.reversed().starts(with: $0.utf8.reversed()) }
    }

    /// Returns true if a whole body is plainly an object and no error, so that one who only passes it on need not read it: it
    /// begins and ends as an object does, nothing in it can spell `__type`, and it is longer than an error without one.
    public static func isPlainlyAbsent(from body: Span<UInt8>) -> Bool {
        guard body.count > bareErrorBytes else { return false }
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

    /// Returns true if a body that is not read may have a `__type` somewhere: it spells it, or has escapes of ASCII.
    public static func mayName(in body: Span<UInt8>) -> Bool {
        [type, escape].contains { name in
            var start = 0
            while let found = body.index(of: name[0], from: start) {
                if body.holds(name, at: found) { return true }
                start = found + 1
            }
            return false
        }
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }

    private static let type = Array("__type".utf8)
    private static let code = Array("code".utf8)
    private static let escape = Array("\\u00".utf8)
    private static let messages = [Array("message".utf8), Array("Message".utf8)]
    /// An error without `__type` is looked for up to this size.
    private static let bareErrorBytes = 512
    /// The longest code. The longest names of error shapes in the SDKs' models have about 70 characters.
    private static let maxBytes = 128

    /// The bare code in one of its spellings; nil if no characters of a code are left, or too many to be one.
    public static func sanitized(_ text: String) -> String? {
        // By bytes: a character may hide a colon under a mark that combines with it.
        var code = Array(text.utf8)[...]
        if let colon = code.firstIndex(of: UInt8(ascii: ":")) { code = code[..<colon] }
        if let hash = code.lastIndex(of: UInt8(ascii: "#")) { code = code[(hash + 1)...] }
        while code.first == UInt8(ascii: " ") { code.removeFirst() }
        while code.last == UInt8(ascii: " ") { code.removeLast() }
        guard !code.isEmpty, code.count <= maxBytes, code.allSatisfy(isCodeCharacter) else { return nil }
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
