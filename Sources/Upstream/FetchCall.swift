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

    /// An operation that the catalog does not know is a write as far as safety goes, and may be a read.
    var replyUse: ReplyUse {
        if case .flight = fetch.purpose { return .page }
        return fetch.operation == nil || fetch.safety == .read ? .pass : .write
    }

    func takePlace() -> Place {
        var taken = Place.elsewhere
        swap(&taken, &place)
        return taken
    }
}
