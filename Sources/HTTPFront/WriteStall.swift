internal import NIOCore

/// Tells whether a client reads what it is sent. It must take `minProgress` bytes in each idle time, or all that is left.
struct WriteStall {
    /// One KiB a second, in the usual idle time of a minute.
    private static let minProgress = 64 * 1024

    /// What waited to be sent when the client was last seen to read.
    private var mark = 0
    private var deadline = Int64.max

    /// The client is to read what waits, or is about to wait.
    mutating func begin(now: Int64, limits: HTTPLimits) {
        mark = 0
        deadline = now &+ limits.idleTimeout
    }

    /// Nothing that waits is too much.
    mutating func end() { deadline = .max }

    /// Whether its time is over. Called with every tick.
    mutating func hasExpired(_ context: ChannelHandlerContext, now: Int64, limits: HTTPLimits) -> Bool {
        guard deadline != .max else { return false }
        let left = Self.left(context)
        if left > mark {
            mark = left
        } else if mark - left >= Self.minProgress {
            mark = left
            deadline = now &+ limits.idleTimeout
        }
        return now >= deadline
    }

    private static func left(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
