internal import Gateway

/// A fetch that has had its first token. A class, because it changes where it is.
final class FetchCall {
    /// Where its attempt is.
    enum Place: ~Copyable {
        /// In the queue, or just being handled.
        case elsewhere
        /// Here, in a pause or parked.
        case here(WaitingAttempt)
        /// On its way.
        case sent(SentAttempt)
    }

    let fetch: Fetch
    /// What it asks, for the breaker.
    let input: AttemptInput
    var place = Place.elsewhere
    var signature = ServiceHealth.Signature()
    /// Whether the attempt has less time than the service is given.
    var isCutShort = false
    /// Whether the attempt is its breaker's probe.
    var isProbe = false
    /// What came of the last attempt, if another follows.
    var last: AttemptResult?

    init(_ fetch: Fetch) {
        self.fetch = fetch
        input = AttemptInput(fetch)
    }

    var isForPage: Bool { if case .flight = fetch.purpose { true } else { false } }

    func takePlace() -> Place {
        var taken = Place.elsewhere
        swap(&taken, &place)
        return taken
    }

    /// The attempt that is here; nil, and nothing changes, if it is not.
    func takeHeld() -> WaitingAttempt? {
        switch takePlace() {
        case .here(let attempt): return attempt
        case .sent(let attempt):
            place = .sent(attempt)
            return nil
        case .elsewhere: return nil
        }
    }
}
