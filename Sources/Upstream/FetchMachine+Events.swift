package import Gateway
package import OriginClient
package import Primitives

extension FetchMachine {
    /// When an event came.
    package struct Moment {
        /// Monotonic nanoseconds.
        let now: Int64
        /// For signatures.
        let wallClock: WallInstant

        package init(now: Int64, wallClock: WallInstant) {
            self.now = now
            self.wallClock = wallClock
        }
    }

    /// What has happened.
    package enum Event: ~Copyable {
        /// A first attempt has its tokens. (`tick` finds those that have waited for theirs.)
        case granted(GrantedAttempt)
        /// An attempt was replied to, or has failed; by its fetch's id.
        case ended(FinishedAttempt)
        /// A supply of credentials that had none ready has some, or has given up.
        case credentialsCame
        /// An attempt has joined a queue.
        case queueGrew
        /// A connection could not be opened from here, though no attempt has failed.
        case localFault(CurlError)
        /// Time has passed. To be given when `wake` said so, and after other events.
        case tick
        /// Everything ends now, with an error.
        case stop
    }

    /// What is to be done.
    package enum Action {
        case send(SendOrder)
        /// No reply of the attempt is wanted any more.
        case cancel(UInt64)
        case deliver(Delivery)
        /// The next `tick` is due at this instant, and no more at another; `.max` if none is.
        case wake(at: Int64)
        case report(UpstreamEvent)
        /// An attempt has ended so many nanoseconds after it was sent.
        case count(service: Int, operation: Int?, AttemptClass, elapsed: Int64)
        /// A breaker's state may have changed: 0 closed, 1 half-open, 2 open.
        case showBreaker(service: Int, figure: Int)
    }

    /// What it takes to send an attempt. Its end is reported by the fetch's id.
    package struct SendOrder {
        package let fetch: Fetch
        /// 1 for the first.
        package let number: Int
        /// The header fields, signed; nil if they are those that the caller sent, see `Fetch.forwarded`.
        let lines: HeaderLines?
        /// Nanoseconds.
        package let timeout: Int64
        /// See `AttemptRequest`.
        let needsFreshConnection: Bool
    }
}

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
