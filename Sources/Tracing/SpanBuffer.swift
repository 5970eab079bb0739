internal import Locking
internal import Synchronization

/// Spans that wait to be exported. Appending never waits: a span for which there is no room is dropped and counted.
public final class SpanBuffer: Sendable {
    /// The most spans that wait.
    public static let capacity = 8192

    private let spans = Locked<[TraceSpan]>([])
    private let counts = [Atomic64(), Atomic64(), Atomic64()]

    /// What became of a span. The raw value is the metric label.
    public enum Result: String, Sendable, CaseIterable {
        /// The collector has taken it.
        case exported
        /// There was no room for it.
        case dropped
        /// The collector has not taken it.
        case failed
    }

    public init() {}

    /// Adds a span, which is dropped and counted if there is no room.
    public func append(_ span: TraceSpan) {
        let isAdded = spans.withLock { spans in
            guard spans.count < Self.capacity else { return false }
            spans.append(span)
            return true
        }
        if !isAdded { add(1, .dropped) }
    }

    /// Removes and returns the oldest spans.
    ///
    /// - Parameter most: how many at the most.
    public func take(_ most: Int) -> [TraceSpan] {
        spans.withLock { spans in
            let taken = Array(spans.prefix(most))
            spans.removeFirst(taken.count)
            return taken
        }
    }

    /// How many wait.
    public var count: Int { spans.withLock { $0.count } }

    /// Counts what became of some spans.
    public func add(_ count: Int, _ result: Result) { counts[place(result)].add(count) }

    public func total(_ result: Result) -> Int { counts[place(result)].value }

    private func place(_ result: Result) -> Int {
        switch result {
        case .exported: 0
        case .dropped: 1
        case .failed: 2
        }
    }
}

/// A number that any thread adds to.
private final class Atomic64: Sendable {
    private let storage = Atomic<Int>(0)
    var value: Int { storage.load(ordering: .relaxed) }
    func add(_ amount: Int) { storage.wrappingAdd(amount, ordering: .relaxed) }
}
