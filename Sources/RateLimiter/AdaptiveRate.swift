internal import Primitives

/// The share of its configured rate that a group uses: all of it, until the upstream throttles because others use the
/// account too.
///
/// Additive increase, multiplicative decrease, as in D. Chiu, R. Jain: Analysis of the Increase and Decrease Algorithms for
/// Congestion Avoidance in Computer Networks, Computer Networks and ISDN Systems 17, 1989. The step is chosen so that the
/// next throttle comes after about a hundred attempts at any rate: probing costs one attempt in a hundred.
struct AdaptiveRate {
    /// The factor that a throttle applies to the share.
    static let decrease = 0.7
    /// The minimum share, so that the rate can recover.
    static let minimumShare = 0.02
    /// The number of attempts at the full rate in which the share rises from 0 to 1.
    static let attempts = 1000.0

    private(set) var full: Quota
    private(set) var quota: Quota
    /// The share of the full rate in use, `minimumShare` to 1.
    private(set) var share = 1.0
    private var risenAt: MonotonicInstant = .distantPast
    private var cutAt: MonotonicInstant = .distantPast

    init(_ quota: Quota) {
        full = quota
        self.quota = quota
    }

    /// Cuts the rate, because the upstream has throttled an attempt. Attempts that were sent before the last cut do not cut again.
    ///
    /// - Parameter sentAt: the instant at which the throttled attempt was sent.
    /// - Returns: true if the rate was cut.
    mutating func cut(sentAt: MonotonicInstant, now: MonotonicInstant) -> Bool {
        guard sentAt > cutAt else { return false }
        rise(now: now)
        cutAt = now
        risenAt = now
        set(max(Self.minimumShare, share * Self.decrease))
        return true
    }

    /// Raises the rate for the time that has passed.
    mutating func rise(now: MonotonicInstant) {
        guard share < 1, now > risenAt else { return }
        // One part for each token of the full rate. Steps below 0.001 are left for a later call.
        let gained = Double(now - risenAt) / Double(full.interval) / Self.attempts
        guard gained >= 0.001 else { return }
        risenAt = now
        set(share + gained)
    }

    /// Uses the share that several takers have agreed on.
    mutating func follow(_ share: Double, now: MonotonicInstant) {
        risenAt = now
        set(max(Self.minimumShare, share.isNaN ? 1 : share))
    }

    /// Another full rate is configured.
    ///
    /// A rate that was cut stays what it is in requests a second, as far as the new full rate allows: it is what the service was found to
    /// leave, which the configuration does not change.
    mutating func change(to new: Quota) {
        let kept = share * Double(new.interval) / Double(full.interval)
        full = new
        set(share < 1 ? max(Self.minimumShare, kept) : 1)
    }

    private mutating func set(_ share: Double) {
        self.share = share < 0.999 ? share : 1
        quota = self.share == 1 ? full : full.slowed(to: self.share)
    }
}

extension Quota {
    /// The factor that a throttle applies to the share of the rate in use, and the least share.
    public static let decrease = AdaptiveRate.decrease
    public static let minimumShare = AdaptiveRate.minimumShare

    func slowed(to share: Double) -> Quota {
        Quota(rate: 1e9 / Double(interval) * share, burst: Double(burst), jitter: jitter)
    }
}

extension TokenBucket {
    /// Keeps the number of tokens when the rate changes. The time until full is scaled by the intervals' ratio, rounded up.
    mutating func convert(from old: Quota, to new: Quota, now: MonotonicInstant) {
        guard fullAt > now, old.interval != new.interval else { return }
        let missing = (Double(fullAt - now) / Double(old.interval) * Double(new.interval)).rounded(.up)
        fullAt = now + Int64(min(missing, Double(new.capacity)))
    }
    /// Keeps the tokens that there are, but no more than the new burst, when another quota is configured.
    mutating func keepTokens(from old: Quota, to new: Quota, now: MonotonicInstant) {
        guard old != new, fullAt > now || new.burst > old.burst else { return }
        let missing = max(0, Double(new.burst) - tokens(old, now: now))
        fullAt = now + Int64((missing * Double(new.interval)).rounded(.up))
    }
}
