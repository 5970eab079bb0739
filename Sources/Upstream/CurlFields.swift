internal import CCurl

/// Writes header fields the way libcurl wants them: a list of lines, freed by `curl_slist_free_all`.
enum CurlFields {
    /// What only the owner of the connection can write (RFC 9110 sections 7.6.1, 8.6 and 10.1.1).
    private static let ours = [
        "connection", "content-length", "expect", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// Fields that libcurl would add to a POST by itself. A name with a colon and nothing after it tells it not to.
    private static let unwanted = ["accept", "content-type"]

    /// The list for `fields`; the caller frees it.
    ///
    /// - Throws: `badField`, or `outOfMemory`.
    static func list(
        _ fields: [(name: String, value: String)]
    ) throws(CurlError) -> UnsafeMutablePointer<curl_slist>? {
        let names = fields.map { $0.name.lowercased() }
        var list: UnsafeMutablePointer<curl_slist>?
        do throws(CurlError) {
            // Without this, a body above 1 MiB would wait a second for "100 Continue".
            try unsafe append("Expect:", to: &list)
            for name in unwanted where !names.contains(name) {
                try unsafe append(name + ":", to: &list)
            }
            for (field, name) in zip(fields, names) {
                guard isToken(field.name), isValue(field.value) else { throw CurlError.badField }
                guard !ours.contains(name) else { continue }
                // An empty field is a semicolon to libcurl; a colon would take the field away.
                let isEmpty = field.value.utf8.allSatisfy { $0 == 32 || $0 == 9 }
                try unsafe append(isEmpty ? field.name + ";" : "\(field.name): \(field.value)", to: &list)
            }
        } catch {
            unsafe curl_slist_free_all(list)
            throw error
        }
        return unsafe list
    }

    private static func append(
        _ line: String, to list: inout UnsafeMutablePointer<curl_slist>?
    ) throws(CurlError) {
        // Copies the line. The result is the list's first entry, the same one as before if there was one.
        guard let longer = unsafe curl_slist_append(list, line) else { throw CurlError.outOfMemory }
        unsafe list = longer
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
