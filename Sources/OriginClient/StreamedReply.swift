package import Streams

/// The replies that are passed on as they come, and not collected.
package struct StreamRule: Sendable {
    /// A good reply with this field is an error all the same, and is collected. In lower case, and one of the endpoint's `keptFields`.
    let errorField: String

    package init(unlessField errorField: String) { self.errorField = errorField }

    /// - Parameters:
    ///   - status: that of a final reply.
    ///   - fields: those of it that are kept.
    func applies(status: Int, fields: [CurlReply.Field]) -> Bool {
        (200..<300).contains(status) && !fields.contains { $0.name == errorField }
    }
}

/// The body of a reply while it is passed on.
struct ReplyStream {
    let writer: PipeWriter
    /// Nil once the driver has handed it on.
    private var reader: PipeReader?

    init() { (writer, reader) = BytePipe.make() }

    mutating func takeReader() -> PipeReader? { reader.take() }
}

/// A reply that has begun to come, and whose body is passed on.
package struct BegunReply: Sendable {
    /// As given to `CurlDriver.start`. The attempt's end is reported too, as of every other.
    package let id: UInt64
    /// The reply without its body.
    package let head: CurlReply
    /// Its body. Dropping it ends the attempt.
    package let body: PipeReader

    package init(id: UInt64, head: CurlReply, body: PipeReader) {
        self.id = id
        self.head = head
        self.body = body
    }
}
