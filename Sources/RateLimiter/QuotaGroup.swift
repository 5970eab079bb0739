internal import DequeModule
internal import Locking

/// The bucket of a quota group and the queue in front of it, under one lock, so that a newcomer cannot pass those who wait.
///
/// Elements are whatever is to go on once it has its token. A group starts empty: a restart must not double the burst that
/// the upstream sees.
public final class QuotaGroup<Element: Sendable>: Sendable {
    /// What became of a request for a token.
    public enum Admission: Sendable, Equatable {
        /// The token is taken; go on now.
        case granted
        /// The element waits; `release` hands it back when its token is there, not before `until`.
        case queued(until: Int64)
        /// It cannot be served in time, or the queue is full. Not before `until` can a newcomer have a token.
        case refused(until: Int64)
    }

    private struct Waiter {
        let element: Element
        let deadline: Int64
    }

    private struct State {
        var bucket: TokenBucket
        var queue = Deque<Waiter>()
    }

    /// What the bucket is filled with.
    public let quota: Quota
    private let maxWait: Int64
    private let maxDepth: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - maxWait: the longest wait for a token, in nanoseconds; 0 refuses at once.
    ///   - maxDepth: the most that may wait.
    ///   - now: the time of the start.
    public init(_ quota: Quota, maxWait: Int64, maxDepth: Int, now: Int64) {
        self.quota = quota
        self.maxWait = max(0, maxWait)
        self.maxDepth = max(0, maxDepth)
        state = Locked(State(bucket: .empty(quota, now: now)))
    }

    /// Asks for a token.
    ///
    /// - Parameter deadline: when the token would be of no more use.
    public func request(_ element: Element, deadline: Int64, now: Int64) -> Admission {
        state.withLock { state in
            if state.queue.isEmpty, state.bucket.take(quota, now: now) == .admitted { return .granted }
            let turn = state.bucket.availability(of: Int64(state.queue.count) + 1, quota, now: now)
            guard state.queue.count < maxDepth, turn <= min(deadline, now &+ maxWait) else {
                return .refused(until: turn)
            }
            state.queue.append(Waiter(element: element, deadline: deadline))
            return .queued(until: turn)
        }
    }

    /// Hands out the tokens that have come since, in the order of the queue.
    ///
    /// - Parameters:
    ///   - granted: gets the elements that have their token now.
    ///   - expired: gets those whose deadline passed before their turn.
    /// - Returns: when to call again, nothing if nobody waits.
    public func release(now: Int64, granted: inout [Element], expired: inout [Element]) -> Int64? {
        let (ready, late, next) = state.withLock { state in
            var ready: [Element] = []
            var late: [Element] = []
            while let first = state.queue.first {
                if first.deadline < now {
                    late.append(first.element)
                } else if state.bucket.take(quota, now: now) == .admitted {
                    ready.append(first.element)
                } else {
                    break
                }
                state.queue.removeFirst()
            }
            let next = state.queue.first.map { first in
                min(state.bucket.availability(of: 1, quota, now: now), first.deadline &+ 1)
            }
            return (ready, late, next)
        }
        granted += ready
        expired += late
        return next
    }

    /// Takes out all that wait.
    public func removeAll() -> [Element] {
        state.withLock { state in
            let elements = state.queue.map(\.element)
            state.queue.removeAll()
            return elements
        }
    }

    /// How many wait.
    public var depth: Int { state.withLock { $0.queue.count } }

    /// The tokens in the bucket, a fraction of the next one included.
    public func tokens(now: Int64) -> Double { state.withLock { $0.bucket.tokens(quota, now: now) } }

    /// When a newcomer could have a token.
    public func turn(now: Int64) -> Int64 {
        state.withLock { $0.bucket.availability(of: Int64($0.queue.count) + 1, quota, now: now) }
    }
}
