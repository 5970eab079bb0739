/// Keeps attempts from a service that does not answer: after some failures in a row it lets nothing through for a while,
/// then a single probe, and on its success everything.
///
/// Nygard: Release It!, chapter "Stability Patterns", circuit breaker. Time is an argument, in nanoseconds.
struct Breaker {
    /// When it opens, and for how long.
    struct Policy: Sendable, Equatable {
        /// Failures in a row.
        var failures: Int
        var openFor: Int64
    }

    enum State: Equatable {
        /// Everything passes; so many failures in a row have been seen.
        case closed(failures: Int)
        /// Nothing passes before the instant.
        case open(until: Int64)
        /// One probe is on its way; its result decides.
        case halfOpen
    }

    let policy: Policy
    private(set) var state = State.closed(failures: 0)

    init(_ policy: Policy) { self.policy = policy }

    /// Whether an attempt may be sent now. Its result must be recorded.
    mutating func admits(now: Int64) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen: return false
        case .open(let until):
            guard now >= until else { return false }
            state = .halfOpen
            return true
        }
    }

    /// Takes the result of an attempt.
    mutating func record(isFailure: Bool, now: Int64) {
        guard isFailure else {
            state = .closed(failures: 0)
            return
        }
        switch state {
        case .closed(let failures):
            state =
                failures + 1 >= policy.failures
                ? .open(until: now &+ policy.openFor) : .closed(failures: failures + 1)
        case .halfOpen: state = .open(until: now &+ policy.openFor)
        // An attempt that began before it opened.
        case .open: break
        }
    }

    /// Takes note that an attempt ended that tells nothing of the service. After a probe it stays open, for another one.
    mutating func recordNothing(now: Int64) {
        if state == .halfOpen { state = .open(until: now) }
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
