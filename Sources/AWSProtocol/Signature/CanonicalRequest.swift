internal import Crypto
internal import Primitives

/// The canonical request of AWS Signature Version 4, written in pieces: `begin`, the signed fields in the order of their
/// names, `end`. Signing and verifying share this code.
///
/// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, "Create a canonical request".
/// One value is reused for many requests and keeps up to `keptBytes` of memory.
public struct CanonicalRequest: Sendable {
    /// The canonical request as written so far.
    public private(set) var bytes: [UInt8] = []

    /// The maximum memory that is kept between two requests.
    static let keptBytes = 64 * 1024

    /// An empty request.
    public init() {}

    /// Frees the memory of a large request.
    public mutating func shrink() {
        if bytes.capacity > Self.keptBytes { bytes = [] }
    }

    /// Begins a new request with its method, path and query.
    ///
    /// - Parameters:
    ///   - path: the path of the request target, as it is sent.
    ///   - query: the query without its question mark, as it is sent.
    public mutating func begin(method: Span<UInt8>, path: Span<UInt8>, query: Span<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        // A fast path for "/", the path of most requests.
        let isRoot = query.isEmpty && (path.isEmpty || path.count == 1 && path[0] == UInt8(ascii: "/"))
        bytes.append(addingCapacity: method.count + 4) { output in
            output.append(copying: method)
            output.append(UInt8(ascii: "\n"))
            guard isRoot else { return }
            output.append(UInt8(ascii: "/"))
            output.append(UInt8(ascii: "\n"))
            output.append(UInt8(ascii: "\n"))
        }
        guard !isRoot else { return }
        CanonicalPath.append(path, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        CanonicalQuery.append(query, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Adds a field that occurs once.
    ///
    /// - Parameter name: in lower case.
    public mutating func field(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        beginField(name)
        self.value(value)
        endField()
    }

    /// Adds fields that occur once each and whose values are canonical already, at a third of the cost of `field`.
    ///
    /// - Parameters:
    ///   - size: the number of bytes that `body` appends, or more.
    ///   - body: appends the fields with `appendField`; returns false for a field that does not meet these conditions.
    /// - Returns: the result of `body`. If it is false, no field was added.
    public mutating func fields(size: Int, _ body: (inout OutputSpan<UInt8>) -> Bool) -> Bool {
        var areAdded = false
        bytes.append(addingCapacity: size) { output in
            areAdded = body(&output)
            if !areAdded { output.removeAll() }
        }
        return areAdded
    }

    /// Begins a field that may occur several times. `value` and `endField` follow.
    ///
    /// - Parameter name: in lower case.
    public mutating func beginField(_ name: Span<UInt8>) {
        bytes.append(copying: name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Adds a value of the field, trimmed, with each run of blanks as one space.
    ///
    /// - Parameter isFirst: false if the field occurs several times and this is not its first value.
    public mutating func value(_ value: Span<UInt8>, isFirst: Bool = true) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        guard !value.isCanonical else {
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
    ///   - content: the whole content. It is hashed here; a hash that a client sends is not trusted.
    public mutating func end(signedNames: Span<UInt8>, content: Span<UInt8>) {
        let hash = HexDigest(SHA256.hash(content))
        bytes.append(addingCapacity: signedNames.count + 2 + HexDigest.length) { output in
            output.append(UInt8(ascii: "\n"))
            output.append(copying: signedNames)
            output.append(UInt8(ascii: "\n"))
            output.append(hash)
        }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends a field to a canonical request.
    ///
    /// - Parameters:
    ///   - name: in lower case.
    ///   - value: a value for which `isCanonical` is true.
    @inline(__always)
    public mutating func appendField(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        append(copying: name)
        append(UInt8(ascii: ":"))
        append(copying: value)
        append(UInt8(ascii: "\n"))
    }
}

extension Span where Element == UInt8 {
    /// True if a field's value is canonical already: no blanks at its ends, no two in a row, no tab. May be false for some
    /// canonical values.
    public var isCanonical: Bool {
        guard count >= 8 else { return indices.allSatisfy { self[$0] > 0x20 } }
        // Most values have no blank. Eight bytes at a time; the last eight may overlap those before.
        var blanks = Self.blanks(word(at: count - 8))
        var index = 0
        while index + 8 <= count {
            blanks |= Self.blanks(word(at: index))
            index += 8
        }
        return blanks == 0 || hasSingleSpaces
    }

    private var hasSingleSpaces: Bool {
        if self[0].isBlank || self[count - 1].isBlank { return false }
        for index in 1..<count where self[index].isBlank {
            if self[index] == 0x09 || self[index - 1].isBlank { return false }
        }
        return true
    }

    /// Not zero if one of the eight bytes is at most 0x20. May also be non-zero for bytes from 0x80 on.
    @inline(__always)
    private static func blanks(_ word: UInt64) -> UInt64 {
        (word &- 0x2121_2121_2121_2121) & ~word & 0x8080_8080_8080_8080
    }
}
