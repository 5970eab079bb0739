/// What the gateway knows of one service.
public struct Catalog: Sendable, Equatable {
    /// A group of operations that the service counts against one quota.
    public struct QuotaGroup: Sendable, Equatable {
        public var name: String
        /// Requests a second, for an account and Region.
        public var rate: Double
        /// Requests at once.
        public var burst: Double
    }

    /// What the configuration calls it.
    public var name: String
    /// The service's name in a credential scope.
    public var signingName: String
    /// What stands before the dot in `X-Amz-Target`.
    public var targetPrefix: String
    /// The namespace of its error shapes.
    public var errorNamespace: String
    public var quotaGroups: [QuotaGroup]
    /// The place of the group for operations that the catalog does not know.
    public var defaultGroup: Int
    /// In the order of their names.
    public var operations: [Operation]
}
