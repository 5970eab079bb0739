public import NIOCore
internal import NIOPosix
internal import Primitives

/// A client of one Redis or Valkey primary, over one connection that it makes anew when it is lost.
///
/// Calls come from any thread. Each is completed once, on the client's event loop (after `close`, at once on the caller's thread), at the latest about its timeout
/// after it was made. No call waits for a connection: without one it fails at once. A blocking command (`XREAD BLOCK`) holds up all calls behind it, so it needs a
/// client of its own, and a timeout beyond that of the command.
///
/// A reply that is overdue by its deadline ends the connection, and all calls on it fail with `timeout`. So do, with `connectionLost`, errors
/// that say that another server is the primary, or that this one cannot serve: `READONLY`, `LOADING`, `MASTERDOWN`, `CLUSTERDOWN`,
/// `NOREPLICAS`, `MISCONF`, `UNBLOCKED`, `MOVED`. The call that met one gets the error itself.
public final class RedisClient: Sendable {
    private let mailbox: Mailbox
    private let loop: NIOLoopBoundBox<ClientLoop>
    /// The group that only this client uses.
    private let ownGroup: MultiThreadedEventLoopGroup?

    /// Makes a client, which does nothing until it is started.
    ///
    /// - Parameters:
    ///   - name: the name of its connections in `CLIENT LIST`.
    ///   - group: one of its event loops is the client's. The group must live until the client is closed. `nil` for a thread of its own.
    ///   - onChange: called on the event loop each time that the client goes up or down. The first `down` may come without an `up`.
    public convenience init(
        _ settings: RedisSettings, name: String, group: (any EventLoopGroup)?,
        onChange: @escaping @Sendable (RedisState) -> Void
    ) {
        self.init(
            settings, name: name, group: group, generator: SplitMix64(seed: .random(in: .min ... .max)),
            onChange: onChange)
    }

    /// - Parameter generator: of the pauses between attempts.
    init(
        _ settings: RedisSettings, name: String, group: (any EventLoopGroup)?, generator: SplitMix64,
        onChange: @escaping @Sendable (RedisState) -> Void
    ) {
        let eventLoop: any EventLoop
        if let group {
            ownGroup = nil
            eventLoop = group.next()
        } else {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            ownGroup = group
            eventLoop = group.next()
        }
        mailbox = Mailbox(settings, eventLoop: eventLoop)
        loop = .makeBoxSendingValue(
            ClientLoop(
                settings, name: name, mailbox: mailbox, eventLoop: eventLoop, generator: generator, onChange: onChange),
            eventLoop: eventLoop)
    }

    deinit { close() }

    /// The state now.
    public var state: RedisState { mailbox.client }

    /// The counts since the start.
    public var counters: RedisCounters { mailbox.counters }

    /// Begins to connect.
    public func start() { mailbox.execute { [loop] in loop.value.start() } }

    /// Sends a command.
    ///
    /// - Parameters:
    ///   - timeout: nanoseconds from now on.
    ///   - completion: receives the reply, or the error; an error reply is `server`. It runs on the event loop and must not block; after
    ///     `close` it runs at once.
    public func send(
        _ command: RedisCommand, timeout: Int64,
        _ completion: @escaping @Sendable (Result<RESPValue, RedisError>) -> Void
    ) {
        send(command, deadline: .now + timeout, completion)
    }

    /// Runs a script: by its digest, and by its source if the server does not know it.
    ///
    /// - Parameters:
    ///   - keys: the keys that it touches; in a cluster, keys of one hash tag.
    ///   - timeout: nanoseconds from now on, for both tries.
    ///   - completion: as for `send`.
    public func evaluate(
        _ script: RedisScript, keys: [[UInt8]], arguments: [[UInt8]], timeout: Int64,
        _ completion: @escaping @Sendable (Result<RESPValue, RedisError>) -> Void
    ) {
        let deadline = MonotonicInstant.now + timeout
        let known = script.command(byDigest: true, keys: keys, arguments: arguments)
        // Weak, because the event loop keeps the call: only its owner keeps a client alive.
        send(known, deadline: deadline) { [weak self] result in
            guard case .failure(let error) = result, error.kind == .noScript, let self else {
                return completion(result)
            }
            send(script.command(byDigest: false, keys: keys, arguments: arguments), deadline: deadline, completion)
        }
    }

    private func send(
        _ command: RedisCommand, deadline: MonotonicInstant,
        _ completion: @escaping @Sendable (Result<RESPValue, RedisError>) -> Void
    ) {
        let call = RedisCall(command: command.bytes, deadline: deadline, completion: completion)
        mailbox.add(call) { [loop] in loop.value.drain() }
    }

    /// Closes the connection, fails outstanding calls with `closed`, and ends the thread, if the client has its own. Returns at once; a second
    /// call does nothing.
    public func close() {
        mailbox.close { [loop, ownGroup] in
            loop.value.close()
            ownGroup?.shutdownGracefully { _ in }
        }
    }
}
