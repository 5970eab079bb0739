package import Gateway
internal import OriginClient
internal import Tracing

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
    let input: AttemptInput
    var place = Place.elsewhere
    var signature = ServiceState.Signature()
    /// True if the attempt has less time than the service is given.
    var isCutShort = false
    var isProbe = false
    var last: AttemptResult?
    /// How long its attempts were on their way, in nanoseconds.
    var upstreamTime: Int64 = 0
    /// The span of the attempt that was sent last; nil without a trace.
    var attemptSpan: SpanID?

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
        case .sent(let attempt): place = .sent(attempt)
        case .elsewhere: break
        }
        return nil
    }

    /// The attempt that is on its way; nil, and nothing changes, if it is not.
    func takeSent() -> SentAttempt? {
        switch takePlace() {
        case .sent(let attempt): return attempt
        case .here(let attempt): place = .here(attempt)
        case .elsewhere: break
        }
        return nil
    }
}

/// An attempt that is to be sent. Its end is reported by the fetch's id.
package struct OutgoingAttempt {
    package let fetch: Fetch
    /// 1 for the first.
    package let number: Int
    /// The header fields, signed; nil if they are those that the caller sent, see `Fetch.forwarded`.
    let lines: HeaderLines?
    /// Nanoseconds.
    package let timeout: Int64
    /// How long it has waited for its tokens, in nanoseconds.
    let wait: Int64
    /// See `AttemptRequest`.
    let needsFreshConnection: Bool
}
