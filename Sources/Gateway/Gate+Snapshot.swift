public import PageCache

/// Is told of what makes pages void, so that a copy of them that is kept elsewhere does not outlive them.
///
/// Calls may come from any thread, and a write is not sent before `writeBegins` has returned.
public protocol WriteObserver: Sendable {
    /// Something that may make pages void is about to be sent.
    func writeBegins()

    /// It has ended, and what it made void is void. Called once for each `writeBegins`.
    func writeEnded()
}

extension Gate {
    /// Takes in a page of a snapshot, as a stale one.
    ///
    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same moment in nanoseconds since 1970-01-01T00:00:00Z.
    /// - Returns: whether it was taken in; not if its operation is not cached any more, or if it is too old.
    public func restore(_ page: SavedPage, now: Int64, wallClock: Int64) -> Bool {
        guard let parts = KeyParts(page.key), let (service, operation, input) = parts.request(services) else {
            return false
        }
        let principal = Array(parts.principal)
        guard operation.kind.isCached, service.sharesAnswers(with: principal.span),
            KeyParts.key(service, principal, operation, input) == page.key
        else { return false }
        let longest = policy.lifetime(operation: operation.name, status: input.status)
        return cache.restore(
            page, scope: service.scope(domain: input.pageDomain), longest: longest, now: now, wallClock: wallClock)
    }
}
