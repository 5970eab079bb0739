/// What came back: a whole reply, never a part of one.
struct CurlReply: Sendable, Equatable {
    /// One header field; the name is in lower case, the value without white space at its ends.
    struct Field: Sendable, Equatable {
        var name: String
        var value: String
    }

    /// The final status, 200…599.
    var status: Int
    /// In the order of their coming, and only those of `CurlReplyCollector.kept`.
    var fields: [Field]
    /// As the origin sent it: a `Content-Encoding` is still on.
    var body: [UInt8]
    /// Whether the end of the body was marked by a `Content-Length`, by chunks, or by HTTP/2. False for a body that
    /// ends where the connection does (RFC 9112 section 6.3, rule 8), and for one of HTTP/2 that has neither a length nor a
    /// byte: if it was cut short, nobody can tell.
    var hasDeterminedLength: Bool

    /// The value of the first field of this name (lower case).
    subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }
}

/// How an attempt ended.
struct FinishedAttempt: Sendable {
    /// As given to `CurlDriver.start`.
    let id: UInt64
    let result: Result<CurlReply, CurlError>
    /// The number of the connection whose end was the attempt's, where others may have shared it.
    var lostConnection: UInt64?
}
