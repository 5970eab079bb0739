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
