/// A caller of the gateway, by its index in the configuration.
@frozen public struct CallerID: Sendable, Hashable {
    /// The caller of requests without identity.
    @inlinable public static var anonymous: CallerID { CallerID(0) }
    public let index: Int

    @inlinable public init(_ index: Int) { self.index = index }
}

/// An operation by the index of its name among those of all catalogs: the value of a label. Its index in one catalog is another number.
@frozen public struct OperationID: Sendable, Hashable {
    public let index: Int

    @inlinable public init(_ index: Int) { self.index = index }
}

/// A request that waits for its answer: its event loop, its slot there, and its generation, which tells apart the requests that used the
/// slot. A waiter that has outlived its request is recognised and ignored.
@frozen public struct Waiter: Sendable, Hashable {
    /// The event loop's index.
    public let loop: Int32
    /// The slot of the connection or stream on that loop.
    public let slot: Int32
    /// The number of the request on the loop.
    public let generation: UInt64

    @inlinable public init(loop: Int32, slot: Int32, generation: UInt64) {
        self.loop = loop
        self.slot = slot
        self.generation = generation
    }
}
