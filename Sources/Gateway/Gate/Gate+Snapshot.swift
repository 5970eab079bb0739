public import PageCache
public import Primitives

/// Is told of writes before they are sent, so that a copy of the pages on disk does not outlive them.
///
/// Calls may come from any thread.
public protocol WriteObserver: Sendable {
    /// A write is about to be sent, or a purge about to begin.
    ///
    /// - Parameter scopes: those whose pages it may make void.
    /// - Returns: `nil` if it may be sent now. Else the write has not begun, and must not be sent before this moment, in
    ///   monotonic nanoseconds, and not without asking again.
    func writeBegins(_ scopes: [EpochScope], now: Int64) -> Int64?

    /// It has ended, and the pages that it made void are gone. Called once for each write that has begun.
    func writeEnded(_ scopes: [EpochScope])
}

extension Gate {
    /// Takes in a page of a snapshot, as a stale one.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment.
    ///   - isTrue: whether pages of a scope are as they were when the snapshot was made.
    /// - Returns: whether it was taken in; not if its operation is not cached any more, or if it is too old.
    public func restore(
        _ page: SavedPage, now: Int64, wallClock: WallInstant, where isTrue: (EpochScope) -> Bool
    ) -> Bool {
        guard let parts = KeyParts(page.key), let (service, operation, input) = parts.request(services) else {
            return false
        }
        let principal = Array(parts.principal)
        let scope = service.scope(domain: input.pageDomain)
        guard operation.kind.isCached, !operation.isSensitive, service.sharesAnswers(with: principal.span),
            isTrue(scope),
            isTrue(service.everything),
            KeyParts.key(service, principal, operation, input) == page.key
        else { return false }
        let longest = policy.lifetime(of: operation, status: input.status)
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
