/// Header fields as they stand in an HTTP/1.1 request: lines, one after the other.
package struct HeaderLines: Sendable, Equatable {
    private(set) var bytes: [UInt8] = []
    /// Where each line begins.
    private(set) var starts: [Int] = []
    private(set) var hasHost = false
    /// True if a field was added that must not be sent.
    private(set) var isFaulty = false

    /// Fields that only the owner of the connection writes (RFC 9110 sections 7.6.1, 8.6 and 10.1.1).
    private static let ours: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    package init() {}

    /// The same lines, with room for so many more bytes.
    package init(_ lines: HeaderLines, room: Int) {
        bytes.reserveCapacity(lines.bytes.count + room)
        bytes += lines.bytes
        starts.reserveCapacity(lines.starts.count + 8)
        starts += lines.starts
        isFaulty = lines.isFaulty
        hasHost = lines.hasHost
    }

    /// Adds a field with a value that is not empty; what may not stand in one makes the lines faulty.
    ///
    /// - Parameter name: a token, and none of the connection's own.
    package mutating func add(_ name: String, _ value: Span<UInt8>) {
        for index in value.indices where value[index] == 13 || value[index] == 10 || value[index] == 0 {
            isFaulty = true
        }
        add(name) { bytes in
            // Unsafe only in its pointer, which does not leave the closure.
            unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
    }

    /// Adds a field whose value is written by `write`, is not empty, and is one that may be sent.
    package mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
        begin(name)
        bytes.append(UInt8(ascii: " "))
        write(&bytes)
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func begin(_ name: String) {
        let start = bytes.count
        starts.append(start)
        bytes.append(contentsOf: name.utf8)
        if bytes.count == start + 4, bytes.span.equals("host", in: start..<bytes.count) { hasHost = true }
        bytes.append(UInt8(ascii: ":"))
    }

    /// - Throws: `badField`.
    init(_ fields: [(name: String, value: String)]) throws(CurlError) {
        for field in fields {
            // A token (RFC 9110 section 5.6.2), and no CR, LF or NUL (section 5.5): they would end the line, and what follows them
            // would be a field, or a request, of the value's author.
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(\.isTokenCharacter),
                !field.value.utf8.contains(where: { $0 == 13 || $0 == 10 || $0 == 0 })
            else { throw .badField }
            guard !Self.ours.contains(field.name.lowercased()) else { continue }
            if field.value.utf8.allSatisfy({ $0 == 32 || $0 == 9 }) {
                begin(field.name)
                bytes.append(contentsOf: "\r\n".utf8)
            } else {
                add(field.name) { $0.append(contentsOf: field.value.utf8) }
            }
        }
    }

    /// Returns true if a field is among them.
    ///
    /// - Parameter name: in lower case.
    func has(_ name: String) -> Bool {
        let bytes = bytes.span
        let count = name.utf8.count
        for start in starts
        where bytes.equals(name, in: start..<start + count) && bytes[start + count] == UInt8(ascii: ":") {
            return true
        }
        return false
    }
}
