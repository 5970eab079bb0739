internal import PageCache

/// How long answers are kept. All spans are nanoseconds.
public struct CachePolicy: Sendable, Equatable {
    /// Time to live where nothing else is said.
    public var defaultTTL: Int64 = 10_000_000_000
    /// By the names of operations, whatever else is said.
    public var operationTTL: OperationRules<TimeToLive> = [:]
    /// By the status that a listing is filtered by.
    public var statusTTL: [String: Int64] = [:]
    /// For a listing filtered by a status that the catalog calls final.
    public var finalTTL: Int64 = 30_000_000_000
    public var staleWhileRevalidate: Int64 = 30_000_000_000
    public var staleIfError: Int64 = 600_000_000_000
    /// By error code.
    public var negativeTTL: [String: Int64] = [:]
    /// True if pages are kept in gzip, too, for clients that accept it.
    public var packsPages = false

    public init() {}

    /// The lifetime of a page of `operation` that was filtered by `status`: by operation, by status, final, the catalog's own, the
    /// default, in this order.
    func lifetime(of operation: Operation, _ service: Service, status: [UInt8]?) -> Page.Lifetime {
        // By bytes: to Swift, texts that merely look alike are equal, and the status is what a caller wrote.
        let byStatus = status.flatMap { status in statusTTL.first { $0.key.utf8.elementsEqual(status) }?.value }
        let final = status.flatMap { operation.final.contains($0) ? finalTTL : nil }
        let configured = byStatus ?? final ?? operation.ttl ?? defaultTTL
        let fresh =
            switch operationTTL.value(service: service.settings.name, operation: operation.name) {
            case .fixed(let own): own
            // Until something is known of the page.
            case .adaptive(let bounds): min(max(configured, bounds.min), bounds.max)
            case nil: configured
            }
        return Page.Lifetime(
            fresh: fresh, staleWhileRevalidate: staleWhileRevalidate, staleIfError: staleIfError)
    }

    /// The bounds of an operation's time to live, if it follows how often its pages change.
    func adaptiveTTL(of operation: Operation, _ service: Service) -> AdaptiveTTL? {
        let own = operationTTL.value(service: service.settings.name, operation: operation.name)
        if case .adaptive(let bounds) = own { return bounds }
        return nil
    }

    /// True if any operation's time to live follows how often its pages change.
    public var hasAdaptiveTTL: Bool {
        operationTTL.values.contains { if case .adaptive = $0 { true } else { false } }
    }
}
