internal import Gateway
internal import Primitives

/// When the gate is asked for pages to refresh ahead.
struct AheadRefreshes {
    /// False once no page is to be refreshed ahead any more, because the gateway ends.
    var areOn: Bool
    /// When to ask next; `distantFuture` if not before something else happens.
    private var askAt = MonotonicInstant.distantPast

    init(areOn: Bool) { self.areOn = areOn }

    var next: MonotonicInstant { areOn ? askAt : .distantFuture }

    /// Another page may be the next one: a fetch has ended, a page is wanted, or the queue has room.
    mutating func change(now: MonotonicInstant) { askAt = min(askAt, now) }

    /// Those that are worth a spare token now. To be called after the queues were released: what waits comes first.
    mutating func take(from gate: Gate, now: MonotonicInstant) -> GrantedAttempts {
        var granted = GrantedAttempts()
        if now >= next { askAt = gate.refreshAhead(now: now, granted: &granted) }
        return granted
    }
}
