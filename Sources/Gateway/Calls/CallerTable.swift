internal import Locking
public import Primitives

/// The callers that there have been, each with an id that it keeps for the life of the process: what a reload leaves running (queues,
/// counters, requests that wait) knows callers by their ids.
///
/// A caller that a reload has removed keeps its id and its metrics, and has both again if it comes back.
public final class CallerTable: Sendable {
    private struct State {
        var names: [String]
        /// By the bytes of the names.
        var ids: [[UInt8]: Int] = [:]
    }

    /// More callers than a table has room for.
    public struct Full: Error, CustomStringConvertible {
        /// How many there would be.
        public let count: Int
        public let capacity: Int

        public var description: String {
            "with these there would have been \(count) since the start, and a gateway has room for \(capacity) until it is "
                + "restarted: 1000 more than at its start, or twice as many if that is more. A restart takes them"
        }
    }

    /// How many callers there may be in all.
    public let capacity: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - names: the first is that of callers without a name, the others' are unique.
    ///   - room: how many more there may be, as a number and as a multiple of those at the start; the larger one counts.
    public init(_ names: [String], room: Int = 1_000) {
        capacity = names.count + max(room, names.count)
        let ids = Dictionary(zip(names.map { Array($0.utf8) }, 0...)) { first, _ in first }
        state = Locked(State(names: names, ids: ids))
    }

    /// The names by the ids.
    public var names: [String] { state.withLock { $0.names } }

    /// The name of an id; `nil` if it has none.
    public func name(of index: Int) -> String? {
        state.withLock { $0.names.indices.contains(index) ? $0.names[index] : nil }
    }

    /// The ids of callers, those of new ones included, in the order of the names.
    ///
    /// - Throws: `Full`; no name has got an id then.
    public func ids(of names: [String]) throws(Full) -> [CallerID] {
        let result = state.withLock { state -> Result<[CallerID], Full> in
            let count = state.names.count + names.count { state.ids[Array($0.utf8)] == nil }
            // Told without the one that has no name.
            guard count <= capacity else { return .failure(Full(count: count - 1, capacity: capacity - 1)) }
            let ids = names.map { name in
                let bytes = Array(name.utf8)
                if let known = state.ids[bytes] { return CallerID(known) }
                state.ids[bytes] = state.names.count
                state.names.append(name)
                return CallerID(state.names.count - 1)
            }
            return .success(ids)
        }
        return try result.get()
    }
}
