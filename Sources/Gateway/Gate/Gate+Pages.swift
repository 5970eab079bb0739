internal import AWSProtocol
public import PageCache
public import Primitives

/// The pages that an operator wants to purge. A property that is nil matches every page.
public struct PurgeRequest: Sendable, Equatable {
    public var service: String?
    public var operation: String?
    public var domain: String?
    /// The status that a listing was filtered by.
    public var status: String?
    /// True if the pages are only made stale.
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

/// Is told of writes before they are sent, so that a copy of the pages on disk does not outlive them.
///
/// Calls may come from any thread.
public protocol WriteObserver: Sendable {
    /// A write is about to be sent, or a purge about to begin.
    ///
    /// - Parameter scopes: those whose pages it may make void.
    /// - Returns: `nil` if it may be sent now. Else the write has not begun, and must not be sent before this instant, and
    ///   not without asking again.
    func writeBegins(_ scopes: [EpochScope], now: MonotonicInstant) -> MonotonicInstant?

    /// It has ended, and the pages that it made void are gone. Called once for each write that has begun.
    func writeEnded(_ scopes: [EpochScope])
}

extension Gate {
    /// Purges pages, of all gateways that share theirs.
    ///
    /// - Parameter completion: gets the number of this gateway's pages that matched, and how many gateways have purged theirs, of how many;
    ///   nil where there are no others. Called once, on any thread.
    public func purge(
        _ request: PurgeRequest, now: MonotonicInstant,
        completion: @escaping @Sendable (_ pages: Int, _ gateways: (answered: Int, all: Int)?) -> Void
    ) {
        guard let cluster else { return completion(purgeHere(request, now: now), nil) }
        cluster.purge(request) { completion($0, ($1, $2)) }
    }

    static func matches(_ key: PageKey, _ request: PurgeRequest, _ services: [Service]) -> Bool {
        guard let parts = KeyParts(key.bytes) else { return false }
        if let service = request.service, !parts.service.elementsEqual(service.utf8) { return false }
        if let operation = request.operation, !parts.operation.elementsEqual(operation.utf8) { return false }
        guard request.domain != nil || request.status != nil else { return true }
        guard let (_, _, input) = parts.request(services) else { return false }
        if let domain = request.domain, !input.pageDomain.elementsEqual(domain.utf8) { return false }
        if let status = request.status, !(input.status ?? []).elementsEqual(status.utf8) { return false }
        return true
    }

    /// Takes in a page of a snapshot, as a stale one.
    ///
    /// - Parameters:
    ///   - wallClock: the same instant as `now`.
    ///   - isTrue: returns true if pages of a scope are as they were when the snapshot was made.
    /// - Returns: true if it was taken in; not if its operation is not cached any more, or if it is too old.
    public func restore(
        _ page: SavedPage, now: MonotonicInstant, wallClock: WallInstant, where isTrue: (EpochScope) -> Bool
    ) -> Bool {
        guard let parts = KeyParts(page.key), let (service, operation, input) = parts.request(services) else {
            return false
        }
        let principal = Array(parts.principal)
        let scope = service.scope(domain: input.pageDomain)
        guard operation.kind.isCached, !operation.isSensitive, service.sharesAnswers(with: principal.span),
            isTrue(scope), isTrue(service.everything),
            KeyParts.key(service, principal, operation, input) == page.key
        else { return false }
        let longest = policy.lifetime(of: operation, service, status: input.status)
        return cache.restore(page, scope: scope, longest: longest, now: now, wallClock: wallClock)
    }

    /// The pages that may be written to a disk, by their keys.
    public var savablePages: SavablePages { SavablePages(services) }
}

/// Tells the pages that may be written to a disk from those whose operations are sensitive.
public struct SavablePages: Sendable {
    /// The names of sensitive operations, by their services.
    private let sensitive: [[UInt8]: Set<[UInt8]>]

    init(_ services: [Service]) {
        let names = services.map { service in
            let sensitive = service.catalog.operations.filter(\.isSensitive)
            return (Array(service.settings.name.utf8), Set(sensitive.map { Array($0.name.utf8) }))
        }
        sensitive = Dictionary(names) { $0.union($1) }.filter { !$0.value.isEmpty }
    }

    /// Returns true if the page with this key may be written.
    public func contain(_ key: [UInt8]) -> Bool {
        guard !sensitive.isEmpty, let parts = KeyParts(key), let operations = sensitive[Array(parts.service)] else {
            return true
        }
        return !operations.contains(Array(parts.operation))
    }
}
