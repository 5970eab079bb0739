/// The part of its quota that a group uses: all of it, until the upstream throttles all the same because others use the
/// account too.
///
/// Additive increase, multiplicative decrease, as in D. Chiu, R. Jain: Analysis of the Increase and Decrease Algorithms for
/// Congestion Avoidance in Computer Networks, Computer Networks and ISDN Systems 17, 1989. The step is chosen so that the
/// next throttle comes after about a hundred attempts, whatever the rate: one attempt in a hundred is lost by finding out
/// how much is left.
struct Pace {
    /// What a throttle leaves of the rate.
    static let decrease = 0.7
    /// Never less than this, so that what was lost is found again.
    static let least = 0.02
    /// How many attempts at the full rate it takes to come back from nothing to all of it.
    private static let attempts = 1000.0

    /// What is configured.
    let full: Quota
    /// What is used now.
    private(set) var quota: Quota
    /// Which part of the full rate that is.
    private(set) var share = 1.0
    private var risenAt: Int64 = 0
    private var cutAt: Int64 = .min

    init(_ quota: Quota) {
        full = quota
        self.quota = quota
    }

    var isFull: Bool { share == 1 }

    /// The upstream has throttled. What was sent before the last cut does not cut again.
    ///
    /// - Parameter sentAt: when the attempt was sent that was throttled.
    /// - Returns: whether the rate was cut.
    mutating func cut(sentAt: Int64, now: Int64) -> Bool {
        guard sentAt > cutAt else { return false }
        rise(now: now)
        cutAt = now
        risenAt = now
        set(max(Self.least, share * Self.decrease))
        return true
    }

    /// Raises the rate as far as the time that has passed allows.
    mutating func rise(now: Int64) {
        guard share < 1, now > risenAt else { return }
        // In a second, as many parts as the full rate has tokens; no more often than makes a difference.
        // In floating point, because the difference of two instants may not fit 64 bits.
        let gained = (Double(now) - Double(risenAt)) / Double(full.interval) / Self.attempts
        guard gained >= 0.001 else { return }
        risenAt = now
        set(share + gained)
    }

    private mutating func set(_ share: Double) {
        self.share = share < 0.999 ? share : 1
        quota = self.share == 1 ? full : full.slowed(to: self.share)
    }
}

extension Quota {
    /// The same with a part of the rate.
    func slowed(to share: Double) -> Quota {
        Quota(rate: 1e9 / Double(interval) * share, burst: Double(burst), jitter: jitter)
    }
}

extension TokenBucket {
    /// Keeps its tokens when the rate changes; what is missing then takes as much longer to come, rounded up.
    mutating func convert(from old: Quota, to new: Quota, now: Int64) {
        guard fullAt > now, old.interval != new.interval else { return }
        let missing = ((Double(fullAt) - Double(now)) / Double(old.interval) * Double(new.interval)).rounded(.up)
        let (instant, overflow) = now.addingReportingOverflow(Int64(min(missing, Double(new.capacity))))
        fullAt = overflow ? .max : instant
    }
}
