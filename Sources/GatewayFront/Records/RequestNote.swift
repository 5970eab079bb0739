internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import Primitives
internal import Tracing

/// What a record of a request says of its head, which is gone when the answer comes later.
struct RequestNote: Sendable {
    /// The client's `amz-sdk-invocation-id`, and the number of its attempt in `amz-sdk-request`.
    var invocationID: [UInt8] = []
    var attempt: Int?
    /// Where the request comes from.
    var peer = PeerAddress()
    /// The bytes of its content.
    var bytesIn = 0
    /// The access key id that it names; not verified.
    var accessKeyID: [UInt8] = []

    /// The trace that it belongs to; `nil` for none.
    var trace: RequestTrace?

    /// Longer values are cut off.
    private static let maxBytes = 128

    /// For a request that was not understood.
    init(from peer: PeerAddress) { self.peer = peer }

    init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, content: Span<UInt8>) {
        peer = head.peer.address
        bytesIn = content.count
        if let id = head[.amzSDKInvocationID] { invocationID = Self.text(bytes, id) }
        if let request = head[.amzSDKRequest] { attempt = SDKRequest.number(bytes, request) }
    }

    /// Adds the access key id of a request that was refused for its identity.
    mutating func addAccessKey(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        guard let value = head[.authorization] else { return }
        let text = Self.text(bytes, value, atMost: 512)
        let mark = Array("Credential=".utf8)
        guard let start = text.indices.first(where: { text[$0...].starts(with: mark) }) else { return }
        accessKeyID = Array(text[(start + mark.count)...].prefix { $0 != UInt8(ascii: "/") }.prefix(Self.maxBytes))
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>, atMost limit: Int = maxBytes) -> [UInt8] {
        Array(copying: bytes.extracting(range.prefix(limit)))
    }
}

/// How a request was answered, for its record. A class, so that one that is not recorded costs nothing.
final class AnsweredRequest {
    let operation: OperationID
    /// `nil` if it is not known.
    let caller: CallerID?
    let outcome: Outcome
    let status: Int
    let detail: String
    /// `nil` for what is no call, or was refused before it was read.
    let call: Call?
    /// The age of the page, in nanoseconds; `nil` without one.
    let age: Int64?
    /// From arrival to answer, in nanoseconds.
    var duration: Int64
    let story: FetchStory?
    /// Why it failed, in words; empty if the detail says it all.
    let cause: String

    init(
        _ operation: OperationID, _ caller: CallerID?, _ outcome: Outcome, status: Int, detail: String, call: Call?,
        age: Int64?, duration: Int64 = 0, story: FetchStory? = nil, cause: String = ""
    ) {
        (self.operation, self.caller, self.outcome, self.status) = (operation, caller, outcome, status)
        (self.detail, self.call, self.age, self.duration) = (detail, call, age, duration)
        (self.story, self.cause) = (story, cause)
    }
}
