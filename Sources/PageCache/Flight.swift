/// A caller that waits for a flight, as the front knows it. The cache only keeps it and hands it back.
public struct Waiter: Sendable, Hashable {
    /// The event loop's index.
    public let loop: Int32
    /// The connection's slot there.
    public let slot: Int32
    /// Which of the requests that used the slot.
    public let generation: UInt64

    public init(loop: Int32, slot: Int32, generation: UInt64) {
        self.loop = loop
        self.slot = slot
        self.generation = generation
    }
}

/// The permit to fetch one page, held by whoever must see to it that `PageCache.land` is called exactly once, whatever
/// happens. It belongs to the gateway, not to the client that caused it.
public struct Flight: Sendable, Hashable {
    /// Unique in the process.
    public let id: UInt64
    public let key: PageKey

    public static func == (left: Flight, right: Flight) -> Bool { left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
