internal import Primitives

/// When a client connects. It has no socket and no clock: events come in with the time, one action comes out.
///
/// The pause before an attempt is evenly distributed between 0 and a bound ("full jitter": M. Brooker, "Exponential Backoff And Jitter", AWS
/// Architecture Blog, 2015). The bound doubles from attempt to attempt. It begins anew after a connection that lasted longer than the
/// greatest bound, so a server that accepts and closes at once is not asked faster than one that refuses.
struct ReconnectMachine: Sendable {
    enum State: Sendable, Equatable {
        /// Nothing has begun. Next: `connecting`, `closed`.
        case idle
        /// An attempt is under way. Next: `up`, `waiting`, `closed`.
        case connecting(attempt: UInt64)
        /// The connection of an attempt is in use. Next: `waiting`, `closed`.
        case up(attempt: UInt64, since: MonotonicInstant)
        /// The pause before the next attempt. Next: `connecting`, `closed`.
        case waiting(until: MonotonicInstant)
        /// No state follows.
        case closed
    }

    enum Event: Sendable, Equatable {
        case start
        case connected(attempt: UInt64)
        case failed(attempt: UInt64)
        case lost(attempt: UInt64)
        /// The time that an action named has come.
        case woke
        case close
    }

    enum Action: Sendable, Equatable {
        case none
        /// Begin an attempt.
        case connect(attempt: UInt64)
        /// Use the connection of an attempt.
        case use(attempt: UInt64)
        /// Close the connection of an attempt, which is not wanted any more.
        case discard(attempt: UInt64)
        /// Send `woke` at that time.
        case wake(at: MonotonicInstant)
        /// Close the connection, if there is one.
        case end
    }

    private(set) var state = State.idle
    private var attempts: UInt64 = 0
    private var bound: Int64
    private let pauses: ClosedRange<Int64>
    private var generator: SplitMix64

    /// - Parameter pauses: the first and the greatest bound of the pauses, in nanoseconds.
    init(pauses: ClosedRange<Int64>, generator: SplitMix64) {
        self.pauses = max(0, pauses.lowerBound)...max(0, pauses.upperBound)
        bound = self.pauses.lowerBound
        self.generator = generator
    }

    mutating func handle(_ event: Event, now: MonotonicInstant) -> Action {
        switch (state, event) {
        case (.closed, .connected(let attempt)):
            return .discard(attempt: attempt)
        case (.closed, _):
            return .none
        case (_, .close):
            state = .closed
            return .end
        case (.idle, .start):
            return connect()
        case (.waiting(let until), .woke):
            return now < until ? .wake(at: until) : connect()
        case (.connecting(let current), .connected(let attempt)) where current == attempt:
            state = .up(attempt: attempt, since: now)
            return .use(attempt: attempt)
        case (.connecting(let current), .failed(let attempt)) where current == attempt:
            return pause(now)
        case (.up(let current, let since), .lost(let attempt)) where current == attempt:
            if now - since > pauses.upperBound { bound = pauses.lowerBound }
            return pause(now)
        case (_, .connected(let attempt)):
            return .discard(attempt: attempt)
        default:
            return .none
        }
    }

    private mutating func connect() -> Action {
        attempts += 1
        state = .connecting(attempt: attempts)
        return .connect(attempt: attempts)
    }

    private mutating func pause(_ now: MonotonicInstant) -> Action {
        let until = now + Int64(generator.below(UInt64(bound) + 1))
        let (doubled, overflows) = bound.multipliedReportingOverflow(by: 2)
        bound = overflows ? pauses.upperBound : min(pauses.upperBound, max(1, doubled))
        state = .waiting(until: until)
        return .wake(at: until)
    }
}
