internal import AWSProtocol
internal import Gateway
internal import Locking
internal import Primitives
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

    /// Returns true if it answers a call well; otherwise it throttles it.
    mutating func answers(now: MonotonicInstant) -> Bool {
        calls += 1
        guard bucket.take(quota, now: now) == .admitted else {
            throttles += 1
            return false
        }
        return true
    }

    mutating func forget() { (calls, throttles) = (0, 0) }
}

/// The gate's attempts and deliveries, until the simulation takes them.
final class SimulatedPort: UpstreamPort, ArrivalReceiver {
    struct Mail: ~Copyable {
        var started = GrantedAttempts()
        var delivered: [Delivery] = []
        var hasQueued = false
    }

    private let mail = Locked(Mail())

    func start(_ attempt: consuming GrantedAttempt) {
        // A closure may not consume what it captures, but may empty it.
        var attempt = Optional(attempt)
        mail.withLock { if let attempt = attempt.take() { $0.started.append(attempt) } }
    }

    func queueGrew() { mail.withLock { $0.hasQueued = true } }
    func deliver(_ deliveries: [Delivery]) { mail.withLock { $0.delivered += deliveries } }

    func takeDelivered() -> [Delivery] {
        mail.withLock { mail in
            defer { mail.delivered = [] }
            return mail.delivered
        }
    }

    func take() -> Mail {
        mail.withLock { mail in
            var taken = Mail()
            swap(&taken, &mail)
            return taken
        }
    }
}
