/// A moment in the life of one domain's pages: they are void as soon as the domain's epoch is raised.
///
/// Domains share a fixed number of counters, by hash. Two that share one only void each other's pages more often than
/// needed; in return memory is bounded whatever names callers invent, and nothing is ever forgotten.
struct Epoch: Sendable, Equatable {
    /// Which of the counters.
    let scope: UInt16
    /// Its value.
    let value: UInt32
}

/// What an invalidation is about: a domain of a service, or the operations of a service that have no domain.
public struct EpochScope: Sendable, Hashable {
    static let count = 1024
    let index: UInt16

    /// - Parameters:
    ///   - service: the service's unique name.
    ///   - domain: the domain's id, empty for operations without a domain.
    public init(service: String, domain: [UInt8]) {
        var hasher = Hasher()
        hasher.combine(service)
        hasher.combine(domain)
        index = UInt16(truncatingIfNeeded: UInt(bitPattern: hasher.finalize()) % UInt(Self.count))
    }
}
