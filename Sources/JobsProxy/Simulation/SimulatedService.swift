internal import Gateway
internal import Locking
internal import PageCache
internal import RateLimiter

/// The service of a simulation: a quota, and good answers within it.
struct SimulatedService {
    private let quota: Quota
    private var bucket = TokenBucket.full
    private(set) var calls = 0
    private(set) var throttles = 0

    init(_ load: SimulatedLoad) {
        quota = Quota(rate: load.rate - load.foreignRate, burst: load.burst)
    }

    /// Whether it answers a call well; it throttles it otherwise.
    mutating func answers(now: Int64) -> Bool {
        calls += 1
        guard bucket.take(quota, now: now) == .admitted else {
            throttles += 1
            return false
        }
        return true
    }

    mutating func forget() { (calls, throttles) = (0, 0) }
}

/// What the gate hands out, until the simulation takes it.
final class SimulatedPort: UpstreamPort, ArrivalReceiver {
    struct Mail {
        var started: [Fetch] = []
        var delivered: [Delivery] = []
        var hasQueued = false
    }

    private let mail = Locked(Mail())

    func start(_ fetch: Fetch) { mail.withLock { $0.started.append(fetch) } }
    func queueGrew() { mail.withLock { $0.hasQueued = true } }
    func deliver(_ deliveries: [Delivery]) { mail.withLock { $0.delivered += deliveries } }

    func take() -> Mail {
        mail.withLock { mail in
            defer { mail = Mail() }
            return mail
        }
    }
}
