internal import PageCache

/// How long answers are kept. All spans are nanoseconds.
public struct CachePolicy: Sendable, Equatable {
    /// Time to live where nothing else is said.
    public var defaultTTL: Int64 = 10_000_000_000
    /// By the names of operations, whatever else is said.
    public var operationTTL: OperationRules<Int64> = [:]
    /// By the status that a listing is filtered by.
    public var statusTTL: [String: Int64] = [:]
    /// For a listing filtered by a status that the catalog calls final.
    public var finalTTL: Int64 = 30_000_000_000
    public var staleWhileRevalidate: Int64 = 30_000_000_000
    public var staleIfError: Int64 = 600_000_000_000
    /// By error code.
    public var negativeTTL: [String: Int64] = [:]

    public init() {}

    /// The lifetime of a page of `operation` that was filtered by `status`: by operation, by status, final, the catalog's own, the
    /// default, in this order.
    func lifetime(of operation: Operation, _ service: Service, status: [UInt8]?) -> Page.Lifetime {
        // By bytes: to Swift, texts that merely look alike are equal, and the status is what a caller wrote.
        let byStatus = status.flatMap { status in statusTTL.first { $0.key.utf8.elementsEqual(status) }?.value }
        let final = status.flatMap { operation.final.contains($0) ? finalTTL : nil }
        let own = operationTTL.value(service: service.settings.name, operation: operation.name)
        return Page.Lifetime(
            fresh: own ?? byStatus ?? final ?? operation.ttl ?? defaultTTL,
            staleWhileRevalidate: staleWhileRevalidate, staleIfError: staleIfError)
    }
}
