internal import AWSProtocol
internal import Gateway
internal import Locking
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
