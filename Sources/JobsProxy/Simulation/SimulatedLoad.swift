internal import Primitives

/// A load to simulate: callers that poll, a service with a quota, and a gateway between them or none. Times are nanoseconds.
struct SimulatedLoad: Sendable {
    var callers = 200
    /// Pages that every caller asks for once an interval.
    var pages = 18
    var interval: Int64 = 1_000_000_000
    /// When pages are refreshed.
    enum Refresh: String, Sendable, CaseIterable {
        /// When they are asked for after their time to live.
        case ttl
        /// Before, too.
        case ahead
        /// And their time to live follows how often they change.
        case auto
    }

    /// The time before anything is counted.
    var warmUp: Int64 = 15_000_000_000
    var duration: Int64 = 60_000_000_000
    /// One more caller walks through as many pages, each once, as fast as they come; 0 for none.
    var walk = 0
    var retries = SDKRetries.Mode.standard
    /// True if callers ask the service without a gateway.
    var isDirect = false
    /// The service's quota, requests a second and at once, and how long it takes for an answer.
    var rate = 2.0
    var burst = 2.0
    var latency: Int64 = 50_000_000
    /// The part of the quota that other clients of the account take, requests a second.
    var foreignRate = 0.0
    /// How pages are refreshed, where they change; `nil` for pages that do not.
    var refresh: Refresh?
    /// Of pages that change, the n-th is asked for in proportion to 1 / n^exponent, and each caller asks for one page an interval.
    var exponent = 1.0
    var seed: UInt64 = 1
    /// The cache and the limits are as in a configuration, which may keep another quota than the service has.
    var configuration = Configuration()
}

/// The retries of an SDK after a throttle.
///
/// AWS SDKs and Tools Reference Guide, "Retry behavior"; the waits are botocore's.
struct SDKRetries {
    enum Mode: String, Sendable, CaseIterable {
        /// Not at all.
        case none
        /// Up to five attempts.
        case legacy
        /// Up to three.
        case standard
        /// Up to three, and slower for everything after a throttle.
        case adaptive
    }

    let mode: Mode
    /// The rate that adaptive mode allows, requests a second; `nil` before the first throttle.
    private var rate: Double?
    private var freeAt = MonotonicInstant.distantPast

    init(_ mode: Mode) { self.mode = mode }

    /// The wait before the attempt after the `attempts`-th, in nanoseconds; `nil` if that was the last.
    func pause(after attempts: Int, using generator: inout SplitMix64) -> Int64? {
        guard attempts < (mode == .none ? 1 : mode == .legacy ? 5 : 3) else { return nil }
        let base = mode == .legacy ? Double.random(in: 0..<1, using: &generator) : 1
        let jitter = mode == .legacy ? 1 : Double.random(in: 0..<1, using: &generator)
        let doubled = Double(1 << (attempts - 1))
        return Int64(min(20, base * doubled * jitter) * 1e9)
    }

    /// The instant at which a request that is wanted now is sent.
    mutating func send(now: MonotonicInstant) -> MonotonicInstant {
        guard let rate else { return now }
        let at = max(now, freeAt)
        freeAt = at + Int64(1e9 / rate)
        return at
    }

    /// Adapts the rate to an answer, as adaptive mode does: less after a throttle, gradually more after others.
    mutating func learn(wasThrottled: Bool, askedPerSecond: Double) {
        guard mode == .adaptive else { return }
        if wasThrottled {
            rate = max(0.5, (rate ?? askedPerSecond) * 0.7)
        } else if let slow = rate {
            rate = slow * 1.02
        }
    }
}
