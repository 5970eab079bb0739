internal import AWSProtocol
internal import PageCache

/// The pages that an operator wants to purge. A property that is nil matches every page.
public struct PurgeOrder: Sendable, Equatable {
    public var service: String?
    public var operation: String?
    public var domain: String?
    /// The status that a listing was filtered by.
    public var status: String?
    /// Whether the pages are only made stale.
    public var isSoft: Bool

    public init(
        service: String? = nil, operation: String? = nil, domain: String? = nil, status: String? = nil,
        isSoft: Bool = false
    ) {
        self.service = service
        self.operation = operation
        self.domain = domain
        self.status = status
        self.isSoft = isSoft
    }
}

extension Gate {
    /// Carries an order out.
    ///
    /// - Returns: how many pages it was about.
    public func purge(_ order: PurgeOrder, now: Int64) -> Int {
        let services = services
        // Its pages are of any scope. It is not held back: `nil` or not, it is as if the write had begun.
        let hasBegun = !order.isSoft && observer?.writeBegins(EpochScope.all, now: now) == nil
        defer { if hasBegun { observer?.writeEnded(EpochScope.all) } }
        return cache.purge(order.isSoft ? .makeStale : .remove, now: now) { key in
            Self.matches(key, order, services)
        }
    }

    /// Whether a page's key is one of those that an order names.
    private static func matches(_ key: PageKey, _ order: PurgeOrder, _ services: [Service]) -> Bool {
        guard let parts = KeyParts(key.bytes) else { return false }
        if let service = order.service, !parts.service.elementsEqual(service.utf8) { return false }
        if let operation = order.operation, !parts.operation.elementsEqual(operation.utf8) { return false }
        guard order.domain != nil || order.status != nil else { return true }
        guard let (_, _, input) = parts.request(services) else { return false }
        if let domain = order.domain, !input.pageDomain.elementsEqual(domain.utf8) { return false }
        if let status = order.status, !(input.status ?? []).elementsEqual(status.utf8) { return false }
        return true
    }
}
