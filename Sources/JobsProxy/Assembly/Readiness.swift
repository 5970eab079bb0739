internal import Gateway
internal import Locking
internal import PageCache
internal import Primitives

/// Why the gateway cannot serve its callers, for `/readyz`.
///
/// A service without credentials cannot be called. An instance that has been ready stays so for as long as the pages that it holds may stand
/// in for the service: every other instance has lost the same credentials, and callers are better off with old pages than without any.
final class Readiness: Sendable {
    private let faults: @Sendable () -> [String]
    private let hasPages: @Sendable () -> Bool
    /// How long a page may be served after the last instant at which it could be fetched, in nanoseconds.
    private let patience: Int64
    // Not private: a test sees by it which of two is told.
    let lastReady: Locked<MonotonicInstant?>

    /// - Parameters:
    ///   - patience: nanoseconds for which pages may stand in for a service that cannot be called.
    ///   - hasPages: returns true if there are pages.
    ///   - faults: returns why services cannot be called; empty if all can.
    ///   - old: the one before a reload.
    init(
        after old: Readiness? = nil, patience: Int64, hasPages: @escaping @Sendable () -> Bool,
        faults: @escaping @Sendable () -> [String]
    ) {
        self.patience = patience
        self.hasPages = hasPages
        self.faults = faults
        lastReady = Locked(old?.lastReady.withLock { $0 })
    }

    /// The reasons; empty if the gateway is ready. Called by requests for readiness, and whenever credentials have come or failed to come.
    func reasons(now: MonotonicInstant) -> [String] {
        let faults = faults()
        guard !faults.isEmpty else {
            lastReady.withLock { $0 = max($0 ?? now, now) }
            return []
        }
        guard let last = lastReady.withLock({ $0 }), now - last < patience, hasPages() else { return faults }
        return []
    }
}

extension Readiness {
    convenience init(
        _ configuration: Configuration, _ credentials: ServiceCredentials, _ gate: Gate, after old: Readiness? = nil
    ) {
        self.init(after: old, patience: configuration.cache.ttl.default + configuration.cache.staleIfError) {
            gate.cache.figures.pages > 0
        } faults: {
            credentials.faults(configuration.services)
        }
    }
}
