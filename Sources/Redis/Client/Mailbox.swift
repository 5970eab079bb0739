internal import Locking
internal import NIOCore

/// What threads share with a client's event loop: the calls that are on their way to it, and the client's state.
///
/// Tasks for the event loop are queued under the lock, so none is queued after that of `close`, which may be the loop's last one.
final class Mailbox: Sendable {
    private struct State {
        var calls: [RedisCall] = []
        var isDraining = false
        var isClosed = false
        /// The calls, and the bytes of their commands, that have no result yet.
        var outstanding = 0
        var outstandingBytes = 0
        var client = RedisState.connecting
        var counters = RedisCounters()
    }

    private enum Refusal {
        case none, overloaded, closed
    }

    private let state = Locked(State())
    private let maxCalls: Int
    private let maxBytes: Int
    private let eventLoop: any EventLoop

    init(_ settings: RedisSettings, eventLoop: any EventLoop) {
        maxCalls = settings.maxOutstandingCalls
        maxBytes = settings.maxOutstandingBytes
        self.eventLoop = eventLoop
    }

    var client: RedisState { state.withLock { $0.client } }
    var counters: RedisCounters { state.withLock { $0.counters } }

    func set(_ state: RedisState) { self.state.withLock { $0.client = state } }
    func count(_ change: (inout RedisCounters) -> Void) { state.withLock { change(&$0.counters) } }

    /// Queues a call.
    ///
    /// - Parameter drain: runs on the event loop, once for all calls that have come until then.
    func add(_ call: RedisCall, drain: @escaping @Sendable () -> Void) {
        let size = call.command.count
        var counted = call
        counted.completion = { [self] result in
            state.withLock { state in
                state.outstanding -= 1
                state.outstandingBytes -= size
            }
            call.completion(result)
        }
        let refusal = state.withLock { state -> Refusal in
            guard !state.isClosed else { return .closed }
            guard state.outstanding < maxCalls, state.outstanding == 0 || state.outstandingBytes + size <= maxBytes
            else {
                eventLoop.execute { call.completion(.failure(.overloaded)) }
                return .overloaded
            }
            state.outstanding += 1
            state.outstandingBytes += size
            state.calls.append(counted)
            if !state.isDraining {
                state.isDraining = true
                eventLoop.execute(drain)
            }
            return .none
        }
        if refusal == .closed { call.completion(.failure(.closed)) }
    }

    /// Takes out the calls that have come.
    func take() -> [RedisCall] {
        state.withLock { state in
            defer { (state.calls, state.isDraining) = ([], false) }
            return state.calls
        }
    }

    /// Refuses all later calls.
    ///
    /// - Parameter task: runs on the event loop after all that was queued; not for the second close.
    func close(_ task: @escaping @Sendable () -> Void) {
        state.withLock { state in
            guard !state.isClosed else { return }
            state.isClosed = true
            eventLoop.execute(task)
        }
    }

    /// Queues a task, unless the mailbox is closed.
    func execute(_ task: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if !state.isClosed { eventLoop.execute(task) }
        }
    }
}
