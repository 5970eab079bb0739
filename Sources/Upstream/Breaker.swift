internal import Primitives

/// Keeps attempts from a service that does not answer: after some failures in a row, or when half of what was sent of late
/// has failed, it lets nothing through for a while, then a single probe, and on its success everything.
///
/// Failures that only some inputs have are no outage. While another key, domain or operation is answered well, those that fail
/// must be as many as the failures in a row that open it; and what was answered well the last time passes an open breaker, until
/// as many of those fail too. Where no connection can be had the input plays no part.
///
/// Nygard: Release It!, chapter "Stability Patterns", circuit breaker.
struct Breaker {
    /// When it opens, and for how long.
    struct Policy: Sendable, Equatable {
        /// Calls in a row that fail, or attempts that find no connection.
        var failures: Int
        /// At least so long, and at most a quarter longer: gateways that lost a service together do not come back together.
        var openFor: Int64

        /// So many attempts are enough to judge by their part of failures.
        var volume: Int {
            let (volume, overflow) = failures.multipliedReportingOverflow(by: 4)
            return overflow ? .max : volume
        }
    }

    enum State: Equatable {
        /// Everything passes; so many failures in a row have been seen. Next: open.
        case closed(failures: Int)
        /// Nothing passes before the instant but what was answered well the last time. Next: half-open.
        case open(until: MonotonicInstant)
        /// One probe is on its way, since the instant; its result decides, and no other's. Else as open. Next: closed, or open.
        case halfOpen(since: MonotonicInstant)
    }

    /// The decision on an attempt.
    enum Admission: Equatable {
        case passes
        /// It may go, and its end must be recorded as that of the probe.
        case probe
        case refused
    }

    /// How an attempt ended, as a sign of the service's health.
    enum Sign: Equatable {
        /// The service has answered.
        case good
        /// The service was asked, and failed.
        case failed
        /// There was no connection to ask over, whatever would have been asked.
        case unreachable
    }

    /// A change of state that an operator wants to know of.
    enum Change: Equatable {
        case opened(Cause, for: Int64)
        case closed
    }

    /// Why it opened.
    enum Cause: Equatable {
        case failuresInARow(Int)
        case failures(Int, of: Int)
        case probe
    }

    /// A reload may change it; what has been seen stays.
    var policy: Policy
    private(set) var state = State.closed(failures: 0)
    private var recent = RecentAttempts()
    private var inputs = RecentInputs()
    /// How many of the failures in a row were for want of a connection.
    private var unreachable = 0
    /// How many of those that passed an open breaker have failed since one was answered well.
    private var exceptionFailures = 0

    init(_ policy: Policy) { self.policy = policy }

    mutating func admit(_ input: AttemptInput, now: MonotonicInstant) -> Admission {
        switch state {
        case .closed: return .passes
        case .halfOpen: return isException(input, now: now) ? .passes : .refused
        case .open(let until):
            guard now >= until else { return isException(input, now: now) ? .passes : .refused }
            state = .halfOpen(since: now)
            return .probe
        }
    }

    private func isException(_ input: AttemptInput, now: MonotonicInstant) -> Bool {
        exceptionFailures < policy.failures && inputs.isWell(input, now: now)
    }

    /// Takes the result of an attempt.
    ///
    /// - Parameter isRepeat: true if an attempt of the same call has failed before. A call that fails is one failure, however often it
    ///   is tried.
    mutating func record(
        _ sign: Sign, of input: AttemptInput, isRepeat: Bool, isProbe: Bool, now: MonotonicInstant,
        using generator: inout some RandomNumberGenerator
    ) -> Change? {
        let isFailure = sign != .good
        inputs.add(input, isWell: !isFailure, now: now)
        switch state {
        case .closed where isRepeat && sign == .failed: return nil
        case .closed(let failures):
            recent.add(isFailure: isFailure, now: now)
            unreachable = sign == .unreachable ? unreachable + 1 : 0
            guard isFailure else {
                state = .closed(failures: 0)
                return nil
            }
            state = .closed(failures: failures + 1)
            return causeToOpen(failures + 1, now: now).map { open($0, now: now, using: &generator) }
        case .halfOpen where isProbe:
            guard !isFailure else { return open(.probe, now: now, using: &generator) }
            state = .closed(failures: 0)
            unreachable = 0
            recent = RecentAttempts()
            inputs.forgetFailures()
            return .closed
        // An attempt that began before it opened, or passed all the same.
        case .halfOpen, .open:
            exceptionFailures = isFailure ? exceptionFailures + 1 : 0
            return nil
        }
    }

    /// Takes note that a probe ended without telling anything of the service. There may be another one: at once if it was not
    /// sent, else no sooner than after a failure, or callers with little time would send one probe after the other.
    mutating func recordNothing(isProbe: Bool, wasSent: Bool, now: MonotonicInstant) {
        guard isProbe, case .halfOpen(let since) = state else { return }
        state = .open(until: wasSent ? max(now, since + policy.openFor) : now)
    }

    private func causeToOpen(_ inARow: Int, now: MonotonicInstant) -> Cause? {
        if inARow >= policy.failures {
            let isOutage =
                unreachable >= policy.failures || !inputs.explainFailures(fewerThan: policy.failures, now: now)
            if isOutage { return .failuresInARow(inARow) }
        }
        let (attempts, failures) = recent.total(now: now)
        // Half of at least twenty within ten seconds, by default, as in Netflix's Hystrix.
        guard attempts >= policy.volume, failures >= attempts - failures else { return nil }
        // Failing inputs may be asked for more often than others, so half of the inputs must have failed too.
        guard inputs.mostFail(now: now), !inputs.explainFailures(fewerThan: policy.failures, now: now) else {
            return nil
        }
        return .failures(failures, of: attempts)
    }

    private mutating func open(
        _ cause: Cause, now: MonotonicInstant, using generator: inout some RandomNumberGenerator
    ) -> Change {
        let span = policy.openFor &+ Int64.random(in: 0...max(0, policy.openFor / 4), using: &generator)
        state = .open(until: now + span)
        if cause != .probe { exceptionFailures = 0 }
        return .opened(cause, for: span)
    }

    /// 0 closed, 1 half-open, 2 open, as metrics show it.
    var figure: Int {
        switch state {
        case .closed: 0
        case .halfOpen: 1
        case .open: 2
        }
    }
}

/// The attempts of the last ten seconds, in cells of a second.
private struct RecentAttempts {
    private struct Cell {
        var second: Int64 = .min
        var attempts = 0
        var failures = 0
    }

    private static let seconds = 10
    private var cells = [Cell](repeating: Cell(), count: seconds)

    mutating func add(isFailure: Bool, now: MonotonicInstant) {
        let second = now.nanoseconds / 1_000_000_000
        let place = Int(second.magnitude % UInt64(Self.seconds))
        if cells[place].second != second { cells[place] = Cell(second: second) }
        cells[place].attempts += 1
        if isFailure { cells[place].failures += 1 }
    }

    func total(now: MonotonicInstant) -> (attempts: Int, failures: Int) {
        let first = now.nanoseconds / 1_000_000_000 - Int64(Self.seconds)
        var sum = (attempts: 0, failures: 0)
        for cell in cells where cell.second > first {
            sum.attempts += cell.attempts
            sum.failures += cell.failures
        }
        return sum
    }
}
