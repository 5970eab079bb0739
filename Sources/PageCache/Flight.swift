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
