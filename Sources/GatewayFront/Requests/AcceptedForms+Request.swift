internal import AWSProtocol
internal import HTTPFront
internal import Primitives

// What a client accepts (RFC 9110, section 12.5).

extension RequestHead {
    /// True if the client accepts answers in gzip, and says so by its name.
    borrowing func acceptsGzip(_ bytes: Span<UInt8>) -> Bool { names("gzip", in: "accept-encoding", bytes) }

    /// Returns true if a field's list names a value with a weight that is not 0 (RFC 9110, section 12.4.2).
    borrowing func names(_ value: StaticString, in field: StaticString, _ bytes: Span<UInt8>) -> Bool {
        for place in fields.indices where bytes.isText(field, at: fields[place].name) {
            if Self.names(value, bytes, fields[place].value) { return true }
        }
        return false
    }

    private static func names(_ value: StaticString, _ bytes: Span<UInt8>, _ list: Range<Int>) -> Bool {
        let text = String(decoding: Array(copying: bytes.extracting(list)), as: UTF8.self).lowercased()
        return text.split(separator: ",").contains { item in
            let parts = item.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            return parts.first == "\(value)" && weight > 0
        }
    }
}
