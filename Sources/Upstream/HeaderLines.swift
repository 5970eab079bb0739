/// Header fields as libcurl wants them: lines, each ended by NUL, one after the other.
struct HeaderLines: Sendable, Equatable {
    private(set) var bytes: [UInt8] = []
    /// Where each line begins.
    private(set) var starts: [Int] = []

    /// What only the owner of the connection can write (RFC 9110 sections 7.6.1, 8.6 and 10.1.1).
    private static let ours: Set<String> = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Fields that libcurl would add to a POST by itself. A name with a colon and nothing after it tells it not to.
    private static let unwanted = ["accept", "content-type"]

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
