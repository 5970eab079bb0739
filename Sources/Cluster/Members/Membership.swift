internal import Primitives
internal import RateLimiter

/// A gateway's own membership: its seat, the time of its last acknowledgement, and the offset of Redis's clock.
struct Membership: Sendable {
    /// Where its tokens come from.
    enum Mode: Sendable, Equatable {
        /// It has not been acknowledged yet, or has just come to another server: it may send nothing.
        case unknown
        /// It takes slots from Redis.
        case shared
        /// Redis has been silent for too long: it sends in the time slots of its seat.
        case seated
        /// Redis has forgotten it, or it has no seat: others may send in its slots.
        case forgotten
    }

    private let seats: Int
    private let forget: Int64
    private(set) var seat: Int?
    /// When the last acknowledged sign of life was sent.
    private(set) var acknowledgedAt: MonotonicInstant?
    /// Redis's time less this process's, in nanoseconds.
    private(set) var offset: Int64 = 0
    /// The data and the server that the last sign of life was given to; empty before the first.
    private var generation = ""
    /// It takes no slot before this instant: the server before may still count it in, and slots that it has granted may be out.
    private var notBefore: MonotonicInstant = .distantPast
    /// Members that are heard of, and seats whose members are not.
    private(set) var live = 0
    private(set) var silent = 0

    init(seats: Int, forget: Int64) {
        self.seats = seats
        self.forget = forget
    }

    /// A sign of life was acknowledged.
    ///
    /// - Parameter time: microseconds of Redis's clock.
    mutating func acknowledged(
        sentAt: MonotonicInstant, now: MonotonicInstant, time: Int64, seat: Int?, live: Int, silent: Int,
        generation: String
    ) {
        if let acknowledgedAt, generation != self.generation {
            notBefore = acknowledgedAt + Self.countedOut
        }
        self.generation = generation
        acknowledgedAt = sentAt
        self.seat = seat
        (self.live, self.silent) = (live, silent)
        note(time: time, sentAt: sentAt, now: now)
    }

    /// Redis's clock was read between two instants.
    mutating func note(time: Int64, sentAt: MonotonicInstant, now: MonotonicInstant) {
        let middle = sentAt + (now - sentAt) / 2
        offset = WallInstant(nanoseconds: time &* 1000) - WallInstant(nanoseconds: middle.nanoseconds)
    }

    /// True if a sign of life was acknowledged so lately that the seat's time slots are not used.
    func isAcknowledged(now: MonotonicInstant) -> Bool {
        acknowledgedAt.map { now - $0 < ClusterSettings.silence } ?? false
    }

    func mode(now: MonotonicInstant) -> Mode {
        guard let acknowledgedAt, now >= notBefore else { return .unknown }
        let span = now - acknowledgedAt
        if span < ClusterSettings.silence { return .shared }
        guard span >= Self.countedOut, span < forget else {
            return span < forget ? .shared : .forgotten
        }
        return seat == nil ? .forgotten : .seated
    }

    /// A moment later than the others count it as silent, and the slots that were granted before that are used.
    private static let countedOut = ClusterSettings.silence + ClusterSettings.ahead + 50_000_000

    /// Microseconds of Redis's clock.
    func time(of instant: MonotonicInstant) -> Int64 { (instant + offset).nanoseconds / 1000 }

    /// An instant of Redis's clock, in microseconds, as this process has it.
    func instant(of time: Int64) -> MonotonicInstant {
        let (nanoseconds, overflow) = time.multipliedReportingOverflow(by: 1000)
        return MonotonicInstant(nanoseconds: overflow ? (time < 0 ? .min : .max) : nanoseconds) - offset
    }

    /// The time slots of the own seat for a quota group, in the timetable that `takeScript` has. They leave a tenth of the rate free: clocks differ.
    func cycle(_ quota: Quota, now: MonotonicInstant) -> SlotCycle {
        let interval = quota.interval / 9 &* 10 &+ 10
        let batch = max(1, SlotCycle.batchTime / interval)
        let (length, overflow) = interval.multipliedReportingOverflow(by: batch &* Int64(seats))
        let origin = overflow || length <= 0 ? now : now - (now + offset).nanoseconds % length
        return SlotCycle(interval: interval, seat: seat ?? 0, of: seats, origin: origin)
    }
}
