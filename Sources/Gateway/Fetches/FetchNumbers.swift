internal import Synchronization

/// The numbers of fetches, unique in the process.
final class FetchNumbers: Sendable {
    private let last = Atomic<UInt64>(0)

    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
