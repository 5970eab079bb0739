/// Header fields as libcurl wants them: lines, each ended by NUL, one after the other.
struct HeaderLines: Sendable, Equatable {
    private(set) var bytes: [UInt8] = []
    /// Where each line begins.
    private(set) var starts: [Int] = []
    /// Whether a field that was added is none that may be sent.
    private(set) var isFaulty = false

    /// What only the owner of the connection can write (RFC 9110 sections 7.6.1, 8.6 and 10.1.1).
    private static let ours: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Fields that libcurl would add to a POST by itself. A name with a colon and nothing after it tells it not to.
    private static let unwanted = ["accept", "content-type"]

    /// No fields yet. `Accept` and `Content-Type` have to be added, see `unwanted`.
    init() { append("Expect:") }

    /// The same lines, with room for so many more bytes.
    init(_ lines: HeaderLines, room: Int) {
        bytes.reserveCapacity(lines.bytes.count + room)
        bytes += lines.bytes
        starts.reserveCapacity(lines.starts.count + 8)
        starts += lines.starts
        isFaulty = lines.isFaulty
    }

    /// Adds a field with a value that is not empty; what may not stand in one makes the lines faulty.
    ///
    /// - Parameter name: a token, and none of the connection's own.
    mutating func add(_ name: String, _ value: Span<UInt8>) {
        for index in value.indices where value[index] == 13 || value[index] == 10 || value[index] == 0 {
            isFaulty = true
        }
        add(name) { bytes in
            // Unsafe only in its pointer, which does not leave the closure.
            unsafe value.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
    }

    /// Adds a field whose value is written by `write`, and is one that may be sent.
    mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
        starts.append(bytes.count)
        bytes.append(contentsOf: name.utf8)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        write(&bytes)
        bytes.append(0)
    }

    /// - Throws: `badField`.
    init(_ fields: [(name: String, value: String)]) throws(CurlError) {
        let names = fields.map { $0.name.lowercased() }
        // Without this, a body above 1 MiB would wait a second for "100 Continue".
        append("Expect:")
        for name in Self.unwanted where !names.contains(name) { append(name + ":") }
        for (field, name) in zip(fields, names) {
            guard Self.isToken(field.name), Self.isValue(field.value) else { throw .badField }
            guard !Self.ours.contains(name) else { continue }
            // An empty field is a semicolon to libcurl; a colon would take the field away.
            let isEmpty = field.value.utf8.allSatisfy { $0 == 32 || $0 == 9 }
            append(isEmpty ? field.name + ";" : "\(field.name): \(field.value)")
        }
    }

    private mutating func append(_ line: String) {
        starts.append(bytes.count)
        bytes += line.utf8
        bytes.append(0)
    }

    /// RFC 9110 section 5.6.2.
    static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Whether there is no CR, LF or NUL (RFC 9110 section 5.5): they would end the line, and what follows them would
    /// be a field, or a request, of somebody else's making.
    static func isValue(_ value: String) -> Bool {
        !value.utf8.contains { $0 == 13 || $0 == 10 || $0 == 0 }
    }
}
