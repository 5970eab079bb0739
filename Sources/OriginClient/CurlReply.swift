/// A whole reply, never a part of one.
package struct CurlReply: Sendable, Equatable {
    /// One header field; the name is in lower case, the value without white space at its ends.
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    /// The final status, 200…599.
    package var status: Int
    /// In the order of their coming, and only those of the endpoint's `keptFields`.
    package var fields: [Field]
    /// As the origin sent it: a `Content-Encoding` is not undone.
    package var body: [UInt8]
    /// True if the end of the body was marked by a `Content-Length`, by chunks, or by HTTP/2. False for a body that
    /// ends where the connection does (RFC 9112 section 6.3, rule 8), and for one of HTTP/2 that has neither a length nor a
    /// byte. Such a body may have been cut short.
    package var hasDeterminedLength: Bool

    package init(status: Int, fields: [Field] = [], body: [UInt8], hasDeterminedLength: Bool = true) {
        self.status = status
        self.fields = fields
        self.body = body
        self.hasDeterminedLength = hasDeterminedLength
    }

    /// The value of the first field of this name (lower case).
    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
}

/// Descriptions show neither fields nor body, which hold secrets.
extension CurlReply: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "reply \(status)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["status": status]) }
}

/// How an attempt ended.
package struct FinishedAttempt: Sendable {
    /// As given to `CurlDriver.start`.
    package let id: UInt64
    package let result: Result<CurlReply, CurlError>
    /// The number of the connection whose end ended the attempt, if others may have shared it; else nil.
    package let lostConnection: UInt64?

    package init(id: UInt64, result: Result<CurlReply, CurlError>, lostConnection: UInt64? = nil) {
        self.id = id
        self.result = result
        self.lostConnection = lostConnection
    }
}

/// The names of the fields that replies keep; the others cost no memory.
package struct KeptFields: Sendable {
    static let none = KeptFields([])

    /// Those of each length, so that most fields of a reply are compared with none.
    private let byLength: [[(name: String, bytes: [UInt8])]]

    /// - Parameter names: in lower case; case is ignored in replies.
    package init(_ names: [String]) {
        byLength = names.reduce(into: []) { all, name in
            while all.count <= name.utf8.count { all.append([]) }
            all[name.utf8.count].append((name, Array(name.utf8)))
        }
    }

    subscript(length length: Int) -> [(name: String, bytes: [UInt8])] {
        length < byLength.count ? byLength[length] : []
    }
}
