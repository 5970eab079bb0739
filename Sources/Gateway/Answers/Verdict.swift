public import PageCache
public import Primitives
public import Streams

/// The decision on a request.
public enum Verdict: Sendable {
    /// Answer with a page from the cache.
    case page(Page, PageUse)
    /// The answer comes later.
    case wait(Role)
    /// Answer with an error.
    case refused(GatewayError)

    /// The part that a waiting request has in a fetch.
    public enum Role: Sendable {
        /// The fetch was begun for it.
        case leader
        /// It joined a flight that was on its way.
        case follower
        /// It asked for a fetch of its own, and leads that.
        case noCache
        /// The fetch is for it alone, and its answer is not kept.
        case pass
    }
}

/// Why a page from the cache may be served.
public enum PageUse: Sendable, Equatable {
    case fresh
    /// Past its time, and being refreshed.
    case revalidating
    /// Past its time, and no newer one can be had; with the status of the upstream's answer if there was one.
    case unrefreshable(Reason, status: Int?)

    /// Why no newer page can be had. The raw value is the `detail` of `Cache-Status`.
    public enum Reason: String, Sendable {
        case error
        case throttled
        case breaker
        case quota
    }

    /// The reasons for which pages past their time are served: the labels of metrics.
    public static let staleReasons = ["revalidating", "error", "throttled", "breaker", "quota"]

    /// The reason's place in `staleReasons`; nil for a fresh page.
    public var staleReason: Int? {
        switch self {
        case .fresh: nil
        case .revalidating: 0
        case .unrefreshable(.error, _): 1
        case .unrefreshable(.throttled, _): 2
        case .unrefreshable(.breaker, _): 3
        case .unrefreshable(.quota, _): 4
        }
    }
}

/// The answer to the requests that waited for a fetch.
public enum Arrival: Sendable {
    /// A page that was just fetched.
    case page(Page)
    /// A page from the cache, because no newer one could be had.
    case stale(Page, PageUse)
    /// The upstream's own answer, as it came.
    indirect case reply(UpstreamReply)
    /// The head of the upstream's own answer, and its body as it comes, for one request alone. Dropped, it ends at the upstream too.
    indirect case stream(UpstreamReply, PipeReader)
    /// An error that the gateway words.
    case error(GatewayError)
}

/// An arrival, and the requests that wait for it.
public struct Delivery: Sendable {
    public let arrival: Arrival
    public let waiters: [Waiter]
    /// The course of the fetch; `nil` if it was never begun.
    public let story: FetchStory?

    public init(_ arrival: Arrival, to waiters: [Waiter], story: FetchStory? = nil) {
        self.arrival = arrival
        self.waiters = waiters
        self.story = story
    }
}

/// Hands arrivals to the requests that wait. Called from any thread, with no lock held.
public protocol ArrivalReceiver: Sendable {
    /// Takes several at once, because a delivery may have to wake an event loop.
    func deliver(_ deliveries: [Delivery])
}
