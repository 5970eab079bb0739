internal import Primitives
internal import Redis

/// A trial of the settings: Redis is reached, is a primary, and permits every command that members send.
public struct ConnectionCheck: Sendable {
    private let settings: ClusterSettings

    /// The longest time for all of it, in nanoseconds.
    private static let patience: Int64 = 5_000_000_000

    public init(_ settings: ClusterSettings) { self.settings = settings }

    /// Does on keys of its own, which it removes, all that members do.
    private static let script = RedisScript(
        """
        redis.call('TIME')
        redis.call('INFO', 'server')
        redis.call('TYPE', KEYS[1])
        redis.call('EXISTS', KEYS[1])
        redis.call('SET', KEYS[1], '1', 'PX', 10000)
        redis.call('SET', KEYS[1], '2', 'KEEPTTL')
        redis.call('PTTL', KEYS[1])
        redis.call('GETRANGE', KEYS[1], 0, 1)
        redis.call('GET', KEYS[1])
        redis.call('DEL', KEYS[1])
        redis.call('HSET', KEYS[1], 'a', '1')
        redis.call('PEXPIRE', KEYS[1], 10000)
        redis.call('HGET', KEYS[1], 'a')
        redis.call('HGETALL', KEYS[1])
        redis.call('HDEL', KEYS[1], 'a')
        redis.call('DEL', KEYS[1])
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', '10', '*', 't', 'x')
        redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
        redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
        redis.call('DEL', KEYS[1])
        return 1
        """)

    /// - Returns: the fault, with what to do; nil if there is none.
    public func fault() async -> String? {
        let (states, source) = AsyncStream.makeStream(of: RedisState.self)
        let client = RedisClient(settings.redis, name: "jobs-proxy check", group: nil) { source.yield($0) }
        client.start()
        defer { client.close() }
        let timer = Task {
            try? await Task.sleep(for: .nanoseconds(Self.patience))
            source.finish()
        }
        defer { timer.cancel() }
        var isMoved = false
        for await state in states {
            if case .down(_, let error) = state, !isMoved { return "\(error)" }
            guard state.isUp else { continue }
            guard let (error, what) = await trial(client) else { return nil }
            // A node of a Redis Cluster names the one that has the keys, and the client goes on to that.
            isMoved = error.isMoved
            guard isMoved else { return Self.words(error, what) }
        }
        return "Redis has not answered within 5 seconds"
    }

    /// The first error, and what met it.
    private func trial(_ client: RedisClient) async -> (RedisError, String)? {
        let keys = ClusterKeys(settings)
        let first = await reply {
            client.evaluate(Self.script, keys: [keys.check], arguments: [], timeout: settings.timeout, $0)
        }
        if case .failure(let error) = first { return (error, "scripts") }
        let command = RedisCommand(
            words: ["XREAD", "COUNT", "1", "STREAMS"].map { Array($0.utf8) } + [keys.check, Array("0-0".utf8)])
        let second = await reply { client.send(command, timeout: settings.timeout, $0) }
        if case .failure(let error) = second { return (error, "XREAD") }
        return nil
    }

    private func reply(
        _ send: (@escaping @Sendable (Result<RESPValue, RedisError>) -> Void) -> Void
    ) async -> Result<RESPValue, RedisError> {
        await withCheckedContinuation { done in send { done.resume(returning: $0) } }
    }

    private static func words(_ error: RedisError, _ what: String) -> String {
        guard case .server(let refusal) = error else { return "\(error)" }
        guard refusal.kind == .configuration || refusal.text.contains("can't run this command") else {
            return "\(what): \(refusal)"
        }
        return "\(what) are refused (\(refusal)): the user needs "
            + "~jp1:* and +@read +@write +@scripting +@connection +time +info +role"
    }
}

extension RedisError {
    fileprivate var isMoved: Bool {
        if case .server(let error) = self { error.code == "MOVED" } else { false }
    }
}
