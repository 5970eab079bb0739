public import AWSProtocol

/// One service and its operations.
public struct Catalog: Sendable, Equatable {
    /// A group of operations that the service counts against one quota.
    public struct QuotaGroup: Sendable, Equatable {
        public var name: String
        /// Requests a second, for an account and Region.
        public var rate: Double
        /// Requests at once.
        public var burst: Double
        /// The address of the page that publishes it.
        public var source: String?
    }

    /// How much of an input is judged here, and not left to the service. Every body must be one JSON object that all readers read
    /// alike.
    public enum Validation: String, Sendable, CaseIterable {
        /// Types, required members, and values by their patterns, enumerations, lengths and ranges.
        case full
        /// JSON types and required members.
        case types
        /// Nothing more.
        case off
    }

    /// Its name in the configuration.
    public var name: String
    /// The service's name in a credential scope.
    public var signingName: String
    /// The part of `X-Amz-Target` before the dot.
    public var targetPrefix: String
    /// The namespace of its error shapes.
    public var errorNamespace: String
    public var validation = Validation.full
    public var version = JSONVersion.awsJson1_0
    /// True if the service once had the query protocol, so that clients read the codes of its errors from `x-amzn-query-error`.
    public var isQueryCompatible = false
    /// By the names of error shapes, what stands in that field: `CODE;Sender` or `CODE;Receiver`.
    public var queryErrors: [String: String] = [:]
    public var quotaGroups: [QuotaGroup]
    /// The place of the group for operations that the catalog does not know.
    public var defaultGroup: Int
    /// In the order of their names.
    public var operations: [Operation]
}
