public import PageCache
public import Primitives
public import RateLimiter

/// The other gateways of the same account, as the gate uses them: they share quotas and pages.
///
/// Calls may come from any thread, and return without waiting for another gateway.
public protocol ClusterPort: SlotSupply {
    /// A fetch has begun, and asks for its tokens next. A page is looked for elsewhere first; a write is announced first.
    ///
    /// - Returns: false if the gate goes on itself. Else `Gate.proceed` or `Gate.take` is called for the fetch once, perhaps before the return.
    func prepare(_ fetch: Fetch, now: MonotonicInstant) -> Bool

    /// An attempt for a flight is about to be sent: invalidations before this instant do not concern its page.
    func flightIsSent(_ flight: Flight)

    /// A flight has ended, with the page that it brought, if it may be kept.
    func flightEnded(_ flight: Flight, _ page: Page?)

    /// A write has ended that was announced.
    ///
    /// - Parameters:
    ///   - wasSent: false if no byte of it can have left.
    ///   - delivery: its answer, to be delivered when no other gateway serves a page that it made void.
    func writeEnded(_ fetch: Fetch, wasSent: Bool, _ delivery: Delivery)

    /// The longest time in nanoseconds between a write's reply and its delivery.
    var longestAcknowledgement: Int64 { get }

    /// Purges pages everywhere.
    ///
    /// - Parameter completion: gets the number of this gateway's pages that matched, and of gateways that have done so and that should have, this
    ///   one included.
    func purge(
        _ request: PurgeRequest, completion: @escaping @Sendable (_ pages: Int, _ answered: Int, _ all: Int) -> Void)
}

/// A quota group of one of the services that own theirs.
public struct QuotaGroupID: Sendable, Hashable {
    /// The index of the service.
    public let service: Int
    /// The group's place in its catalog.
    public let group: Int

    public init(service: Int, group: Int) {
        self.service = service
        self.group = group
    }
}

/// Grants the slots of quota groups that are shared with others.
///
/// Calls may come from any thread, and return without waiting.
public protocol SlotSupply: AnyObject, Sendable {
    /// A group asks for slots; `FetchQueue.grant` or `FetchQueue.deny` follows, perhaps before the return.
    func ask(for request: SlotRequest, of group: QuotaGroupID, now: MonotonicInstant)

    /// The service has throttled an attempt of a group that left at `sentAt`.
    func slowDown(_ group: QuotaGroupID, _ quota: Quota, sentAt: MonotonicInstant, now: MonotonicInstant)

    /// The service wants no request of a group before an instant.
    func hold(_ group: QuotaGroupID, until instant: MonotonicInstant, now: MonotonicInstant)
}
