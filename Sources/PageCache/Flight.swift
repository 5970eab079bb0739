/// A request that waits for a flight, as the server identifies it. The cache stores it and returns it.
public struct Waiter: Sendable, Hashable {
    /// The event loop's index.
    public let loop: Int32
    /// The slot in the event loop.
    public let slot: Int32
    /// The number of the request among all that used the slot.
    public let generation: UInt64

    public init(loop: Int32, slot: Int32, generation: UInt64) {
        self.loop = loop
        self.slot = slot
        self.generation = generation
    }
}

/// The permit to fetch one page. Its holder must call `PageCache.land` exactly once, on every path. It belongs to the gateway,
/// not to the client that caused it.
public struct Flight: Sendable, Hashable {
    /// Unique in the cache.
    public let id: UInt64
    /// The key of the page.
    public let key: PageKey

    public static func == (left: Flight, right: Flight) -> Bool { left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
