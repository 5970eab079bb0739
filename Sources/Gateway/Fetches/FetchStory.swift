public import Tracing

/// The attempts, the waits and the end of a fetch, for records of the requests that waited for it.
public struct FetchStory: Sendable {
    /// How many attempts were sent.
    public var attempts = 0
    /// How long they waited for their quota tokens, and how long the service took to reply to them, in nanoseconds.
    public var queueWait: Int64 = 0
    public var upstreamTime: Int64 = 0
    /// The service's own id of the last attempt; `nil` if it told none.
    public var upstreamRequestID: String?
    /// Why it failed, in words for operators, which may name addresses; `nil` if it has not, or if the service itself said so.
    public var cause: String?
    /// The trace of the request that the fetch was begun for.
    public var trace: RequestTrace?

    public init() {}
}
