/// One answered request, or a connection that was closed without an answer, for the access log. What is not known is empty or `nil`,
/// and left out of the line.
public struct AccessRecord: Sendable {
    public var service: String
    public var operation: String
    public var caller: String
    public var outcome: String
    /// The HTTP status code of the answer; 0 without one.
    public var status: Int
    /// The cause of a bad answer in one word; empty for a good one.
    public var detail: String
    /// The value of the answer's `x-amzn-RequestId`.
    public var requestID: [UInt8]
    /// From arrival to answer, in nanoseconds; 0 for what is answered at once.
    public var duration: Int64

    public var region = ""
    /// The domain that the request names.
    public var domain: [UInt8] = []
    /// The service's own id of the last attempt.
    public var upstreamRequestID = ""
    /// The attempts that were sent.
    public var attempts: Int?
    /// How long they waited for quota tokens, and how long the service took for them, in nanoseconds.
    public var queueWait: Int64?
    public var upstreamTime: Int64?
    /// The age of the page in nanoseconds.
    public var age: Int64?
    /// The bytes of the request's content and of the answer's.
    public var bytesIn: Int?
    public var bytesOut: Int?
    /// The address of the client.
    public var peer = ""
    /// The answer's `Cache-Status`.
    public var cacheStatus: [UInt8] = []
    /// The client's `amz-sdk-invocation-id`, and its number of the attempt.
    public var invocationID: [UInt8] = []
    public var attempt: Int?
    public var traceID = ""
    public var spanID = ""
    /// The access key id of a client that was refused for its identity.
    public var accessKeyID: [UInt8] = []
    /// Why it failed, in words.
    public var cause = ""

    public init(
        service: String, operation: String, caller: String, outcome: String, status: Int, detail: String,
        requestID: [UInt8], duration: Int64
    ) {
        self.service = service
        self.operation = operation
        self.caller = caller
        self.outcome = outcome
        self.status = status
        self.detail = detail
        self.requestID = requestID
        self.duration = duration
    }

    /// Adds the record's members to a line.
    func add(to line: inout LogLine) {
        line.add("service", service.utf8)
        line.add("operation", operation.utf8)
        line.add("caller", caller.utf8)
        line.add("outcome", outcome.utf8)
        if status > 0 { line.add("status", Int64(status)) }
        line.add("detail", detail.utf8)
        if !requestID.isEmpty { line.add("requestId", requestID) }
        line.add("durationUs", max(0, duration) / 1000)
        func add(_ name: String, _ text: some Collection<UInt8>) { if !text.isEmpty { line.add(name, text) } }
        func add(_ name: String, _ number: Int64?) { if let number { line.add(name, max(0, number)) } }
        add("cause", cause.utf8)
        add("region", region.utf8)
        add("domain", domain)
        add("upstreamRequestId", upstreamRequestID.utf8)
        add("attempts", attempts.map { Int64($0) })
        add("queueUs", queueWait.map { $0 / 1000 })
        add("upstreamUs", upstreamTime.map { $0 / 1000 })
        add("ageS", age.map { $0 / 1_000_000_000 })
        add("cacheStatus", cacheStatus)
        add("bytesIn", bytesIn.map { Int64($0) })
        add("bytesOut", bytesOut.map { Int64($0) })
        add("peer", peer.utf8)
        add("accessKeyId", accessKeyID)
        add("invocationId", invocationID)
        add("attempt", attempt.map { Int64($0) })
        add("traceId", traceID.utf8)
        add("spanId", spanID.utf8)
    }
}
