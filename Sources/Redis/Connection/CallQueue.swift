internal import Primitives

/// A command whose reply is awaited.
struct RedisCall: Sendable {
    /// The bytes for the socket.
    var command: [UInt8]
    var deadline: MonotonicInstant
    /// Called once, on the client's event loop.
    var completion: @Sendable (Result<RESPValue, RedisError>) -> Void
}

/// The calls of a connection in the order of their replies.
struct CallQueue {
    /// The result of a reply.
    enum Match {
        case call(RedisCall)
        /// The reply came after the call's deadline.
        case late(RedisCall)
        /// No call waits.
        case none
    }

    /// `nil` before `first`: the calls that have their reply.
    private var calls: [RedisCall?] = []
    private var first = 0

    var count: Int { calls.count - first }

    /// Adds a call whose command is written. The command's bytes are not kept.
    mutating func append(_ call: RedisCall) {
        var call = call
        call.command = []
        calls.append(call)
    }

    /// Takes out the call that a reply is for.
    mutating func match(now: MonotonicInstant) -> Match {
        guard first < calls.count, let call = calls[first] else { return .none }
        calls[first] = nil
        first += 1
        // The array is shortened by at least half of it, so a call is moved once on average.
        if first == calls.count {
            calls.removeAll(keepingCapacity: first <= 1024)
            first = 0
        } else if first >= 64, first * 2 >= calls.count {
            calls.removeFirst(first)
            first = 0
        }
        return now < call.deadline ? .call(call) : .late(call)
    }

    /// The earliest deadline; `nil` if no call waits. Looks at every call.
    var earliestDeadline: MonotonicInstant? { calls[first...].lazy.compactMap { $0?.deadline }.min() }

    /// Takes out all calls.
    mutating func removeAll() -> [RedisCall] {
        defer { (calls, first) = ([], 0) }
        return calls[first...].compactMap(\.self)
    }
}
