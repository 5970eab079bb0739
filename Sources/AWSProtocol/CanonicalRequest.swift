internal import Crypto

/// The canonical request of AWS Signature Version 4, put together piece by piece: `begin`, the signed fields in the order of
/// their names, `end`. Whoever signs and whoever verifies write it with the same code.
///
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, "Create a canonical request".
/// One value serves request after request and keeps its memory.
public struct CanonicalRequest: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// Begins anew with the request line.
    ///
    /// - Parameters:
    ///   - path: as it stands in the request target, without the query.
    ///   - query: without its question mark.
    public mutating func begin(method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(copying: method)
        bytes.append(UInt8(ascii: "\n"))
        // By far most requests are for "/" alone.
        if path.count <= 1 { bytes.append(UInt8(ascii: "/")) } else { CanonicalPath.append(path, to: &bytes) }
        bytes.append(UInt8(ascii: "\n"))
        if !query.isEmpty { CanonicalQuery.append(query, to: &bytes) }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Adds a field that occurs once.
    ///
    /// - Parameter name: in small letters.
    public mutating func field(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        guard !value.needsFolding else {
            beginField(name)
            self.value(value)
            endField()
            return
        }
        // In one piece, which is a third of the work.
        bytes.append(addingCapacity: name.count + value.count + 2) { output in
            output.append(copying: name)
            output.append(UInt8(ascii: ":"))
            output.append(copying: value)
            output.append(UInt8(ascii: "\n"))
        }
    }

    /// Begins a field that may occur several times; its values follow, then its end.
    ///
    /// - Parameter name: in small letters.
    public mutating func beginField(_ name: Span<UInt8>) {
        bytes.append(copying: name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Adds a value of the field, without white space at its ends, and with one space where there are several.
    ///
    /// - Parameter isFirst: false if the field occurs several times and this is not its first value.
    public mutating func value(_ value: Span<UInt8>, isFirst: Bool = true) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        guard value.needsFolding else {
            bytes.append(copying: value)
            return
        }
        let start = bytes.count
        for index in value.indices {
            guard value[index].isBlank else {
                bytes.append(value[index])
                continue
            }
            if bytes.count > start, bytes.last != UInt8(ascii: " ") { bytes.append(UInt8(ascii: " ")) }
        }
        if bytes.count > start, bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    }

    /// Ends the field.
    public mutating func endField() { bytes.append(UInt8(ascii: "\n")) }

    /// Ends the request.
    ///
    /// - Parameters:
    ///   - signedNames: the names of the fields, with semicolons between them.
    ///   - content: all of the request's content; it is hashed here, and nowhere taken on trust.
    public mutating func end(signedNames: Span<UInt8>, content: Span<UInt8>) {
        bytes.append(addingCapacity: signedNames.count + 2) { output in
            output.append(UInt8(ascii: "\n"))
            output.append(copying: signedNames)
            output.append(UInt8(ascii: "\n"))
        }
        SHA256.hash(content).appendHex(to: &bytes)
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 }
}

extension Span where Element == UInt8 {
    /// Whether the canonical value differs: blanks at its ends, two in a row, or a tab. May say so for nothing.
    fileprivate var needsFolding: Bool {
        guard count > 0 else { return false }
        if self[0].isBlank || self[count - 1].isBlank { return true }
        // Eight bytes at a time, the last of them looked at again, so that no pair is missed.
        return unsafe withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                // Unsafe only in its pointer: the eight bytes lie inside the span.
                let word = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
                let spaces = Self.zeros(word ^ 0x2020_2020_2020_2020)
                if spaces & (spaces >> 8) != 0 || Self.zeros(word ^ 0x0909_0909_0909_0909) != 0 { return true }
                index += 7
            }
            while index < bytes.count {
                if unsafe bytes[index] == 0x09 { return true }
                if index > 0, unsafe bytes[index] == 0x20 && bytes[index - 1] == 0x20 { return true }
                index += 1
            }
            return false
        }
    }

    /// High bits at zero bytes, and perhaps at some above the lowest of these.
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }
}
