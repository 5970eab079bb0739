internal import Primitives

/// Finds the error code in a service's reply.
///
/// By the rules of the protocol (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization)
/// the code is in the header `x-amzn-errortype`, or in the body's `__type` or `code`. A namespace before it ends with `#`, and
/// a URI after it begins at the first `:`.
public enum ErrorCode {
    /// The code of a reply, the header's if it has one; `nil` if there is none.
    ///
    /// - Parameters:
    ///   - header: the value of `x-amzn-errortype`.
    ///   - body: the whole body, of any media type.
    ///   - isSuccess: true if the status is 2xx; see `find(in:of:isSuccess:)`.
    public static func find(header: String?, body: [UInt8], isSuccess: Bool = false) -> String? {
        if let header, let code = sanitized(header) { return code }
        let bytes = body.span
        guard let members = try? JSONReader.members(of: bytes) else { return nil }
        return find(in: members, of: bytes, isSuccess: isSuccess)
    }

    /// The code in the members of a body; `nil` if there is none.
    ///
    /// - Parameter isSuccess: true if the status is 2xx. `__type` may then be the name of an output, and `code` is an error code
    ///   only if `message` is the only other member.
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

    /// Returns true if the members are those of an error, under any status and even if no code can be read: with a `__type` that is
    /// neither an output's nor null, or with `code` and `message` alone. Such a body is never cached as a page.
    public static func isError(_ members: [JSONMember], of bytes: Span<UInt8>) -> Bool {
        for member in members where member.name.equals(type, in: bytes) && member.value.kind != .null {
            let code = sanitized(String(decoding: member.value.string(in: bytes), as: UTF8.self))
            return code.map { !isOutput($0) } ?? true
        }
        return isBareError(members, of: bytes)
    }

    /// Returns true if the members are those of an error without `__type`: `code` and `message`, both strings, and no others.
    private static func isBareError(_ members: [JSONMember], of bytes: Span<UInt8>) -> Bool {
        guard members.count == 2 else { return false }
        return [[code], messages].allSatisfy { names in
            members.contains { member in
                member.value.kind == .string && names.contains { member.name.equals($0, in: bytes) }
            }
        }
    }

    /// Returns true if a `__type` is the name of an output shape, which some services put into good answers.
    private static func isOutput(_ code: String) -> Bool {
        ["Response", "Output", "Result"].contains { code.utf8.reversed().starts(with: $0.utf8.reversed()) }
    }

    /// Returns true if a whole body is surely an object without an error, so that it can be passed on without being parsed: it has
    /// the braces of an object, cannot contain the name `__type`, and is longer than an error without one.
    public static func isPlainlyAbsent(from body: Span<UInt8>) -> Bool {
        guard body.count > bareErrorBytes else { return false }
        var (start, end) = (0, body.count)
        while start < end, body[start].isJSONSpace { start += 1 }
        while start < end, body[end - 1].isJSONSpace { end -= 1 }
        guard end - start >= 2, body[start] == UInt8(ascii: "{"), body[end - 1] == UInt8(ascii: "}"),
            // A name may be written with escapes.
            body.index(of: UInt8(ascii: "\\"), from: start) == nil
        else { return false }
        while let underscore = body.index(of: UInt8(ascii: "_"), from: start) {
            // In bounds: the object's last byte is a brace.
            guard body[underscore + 1] != UInt8(ascii: "_") else { return false }
            start = underscore + 1
        }
        return true
    }

    /// Returns true if a body that was not parsed may have a `__type`: it contains the name, or escapes of ASCII characters.
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

    private static let type = Array("__type".utf8)
    private static let code = Array("code".utf8)
    private static let escape = Array("\\u00".utf8)
    private static let messages = [Array("message".utf8), Array("Message".utf8)]
    /// The maximum size of an error without `__type`.
    private static let bareErrorBytes = 512
    /// The maximum length of a code. The longest names of error shapes in the SDKs' models have about 70 characters.
    private static let maxBytes = 128

    /// The code without namespace and URI; `nil` if it is empty, too long or has other characters than `A-Z a-z 0-9 _ . -`.
    public static func sanitized(_ text: String) -> String? {
        // By bytes: a combining mark would hide a colon in a Character.
        var code = Array(text.utf8)[...]
        if let colon = code.firstIndex(of: UInt8(ascii: ":")) { code = code[..<colon] }
        if let hash = code.lastIndex(of: UInt8(ascii: "#")) { code = code[(hash + 1)...] }
        while code.first == UInt8(ascii: " ") { code.removeFirst() }
        while code.last == UInt8(ascii: " ") { code.removeLast() }
        let isCode = code.allSatisfy { $0.isLetter || $0.isDigit || "_.-".utf8.contains($0) }
        guard isCode, (1...maxBytes).contains(code.count) else { return nil }
        return String(decoding: code, as: UTF8.self)
    }
}
