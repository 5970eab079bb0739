internal import Primitives
public import Redis

/// How gateways share quotas and pages. Spans are nanoseconds.
public struct ClusterSettings: Sendable {
    public var redis: RedisSettings
    /// The name of the deployment: gateways of one name share.
    public var name: String
    /// The gateways that may run at the same time, at least 1: the number of seats.
    public var instances: Int
    /// The secret that pages are sealed with, at least 32 bytes. All gateways of a deployment have the same.
    public var key: [UInt8]
    public var sharesPages = true
    public var sharesQuotas = true
    /// True if no page is served from memory while writes elsewhere may go unnoticed.
    public var isStrict = false
    /// The longest wait for a reply of Redis.
    public var timeout: Int64 = 250_000_000
    /// The time without Redis after which a gateway sends nothing any more.
    public var forget: Int64 = 600_000_000_000
    /// The time after which a flight of a gateway that has not ended it counts as lost: an attempt's, and the wait for its token.
    public var flightTime: Int64 = 12_000_000_000
    /// The longest wait for a token in the gateway's own queue.
    public var maxWait: Int64
    /// Where this gateway runs: a text that no other process has that may run at the same time, and that is the same after a restart. The seat of a
    /// silent gateway of the same place is free at once. `nil` if there is none.
    public var place: String?

    public init(redis: RedisSettings, name: String, instances: Int, key: [UInt8], maxWait: Int64) {
        self.redis = redis
        self.name = name
        self.instances = max(1, instances)
        self.key = key
        self.maxWait = maxWait
    }

    /// How long before its time a slot is granted at the most. A slot that is out holds for as long, whatever has become of Redis.
    static let ahead: Int64 = 1_000_000_000
    var horizon: Int64 { min(maxWait, Self.ahead) }

    /// The time after which a gateway that was not heard of counts as silent, and after which it has lost its lease itself.
    static let silence: Int64 = 3_000_000_000
    /// The time for which writers wait for a member that does not answer: a little longer than it trusts its pages.
    static let lease: Int64 = silence + 100_000_000
    /// The longest wait of a write's answer for the other members: their leases are over by then.
    static let longestAcknowledgement: Int64 = lease + silence / 10
    /// The longest body of a page that is shared, in bytes.
    static let maxPageBytes = 1 << 20
}
