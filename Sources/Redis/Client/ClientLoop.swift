internal import NIOCore
internal import Primitives

/// The part of a client that lives on its event loop: carries out the actions of a `ReconnectMachine`.
final class ClientLoop {
    private let dialer: Dialer
    private let mailbox: Mailbox
    private let eventLoop: any EventLoop
    private let onChange: @Sendable (RedisState) -> Void
    private var machine: ReconnectMachine
    private var timer: Scheduled<Void>?
    /// The connection in use, and where it leads.
    private var current: Dialer.Dialed?
    /// The endpoint that a server has named with `MOVED`, until the next loss.
    private var moved: RedisEndpoint?
    private var sentinel = 0

    init(
        _ settings: RedisSettings, name: String, mailbox: Mailbox, eventLoop: any EventLoop, generator: SplitMix64,
        onChange: @escaping @Sendable (RedisState) -> Void
    ) {
        dialer = Dialer(settings: settings, name: name, eventLoop: eventLoop)
        self.mailbox = mailbox
        self.eventLoop = eventLoop
        self.onChange = onChange
        machine = ReconnectMachine(pauses: settings.pauses, generator: generator)
    }

    func start() { step(.start) }

    /// Sends the calls that have come.
    func drain() {
        let calls = mailbox.take()
        guard let current else {
            for call in calls { call.completion(.failure(.notConnected)) }
            return
        }
        current.connection.send(calls)
    }

    /// Fails what is outstanding, and closes the connection.
    func close() {
        for call in mailbox.take() { call.completion(.failure(.closed)) }
        step(.close)
    }

    // MARK: Steps

    /// An action is the last thing that a step does, because it may lead to the next step before it returns.
    private func step(_ event: ReconnectMachine.Event) {
        switch machine.handle(event, now: .now) {
        case .none, .use, .discard:
            // Connections are used and discarded by `dialed`, which has them.
            break
        case .connect(let attempt):
            dialer.connect(moved: moved, sentinel: sentinel) { [self] result in dialed(attempt, result) }
        case .wake(let time):
            // Isolated because steps run on the event loop alone.
            timer = eventLoop.assumeIsolated().scheduleTask(deadline: time.deadline) { [weak self] in self?.step(.woke)
            }
        case .end:
            timer?.cancel()
            let connection = current?.connection
            (timer, current) = (nil, nil)
            connection?.onEnd = nil
            connection?.close()
            goDown(.closed)
        }
    }

    private func dialed(_ attempt: UInt64, _ result: Result<Dialer.Dialed, RedisError>) {
        switch result {
        case .failure(let error):
            moved = nil
            // The next attempt asks another sentinel first: this one may be cut off with the old primary.
            sentinel += 1
            if machine.state == .connecting(attempt: attempt) { goDown(error) }
            step(.failed(attempt: attempt))
        case .success(let dialed):
            guard case .use = machine.handle(.connected(attempt: attempt), now: .now) else {
                return dialed.connection.close()
            }
            use(dialed, attempt)
        }
    }

    private func use(_ dialed: Dialer.Dialed, _ attempt: UInt64) {
        if let reason = dialed.connection.reason { return lost(attempt, reason, dialed.endpoint) }
        dialed.connection.onEnd = { [weak self] reason in self?.lost(attempt, reason, dialed.endpoint) }
        let mailbox = mailbox
        dialed.connection.onLateReply = { mailbox.count { $0.lateReplies += 1 } }
        current = dialed
        sentinel = dialed.sentinel
        mailbox.count { $0.connections += 1 }
        report(.up)
    }

    private func lost(_ attempt: UInt64, _ reason: RedisError, _ endpoint: RedisEndpoint) {
        current = nil
        moved = if case .server(let error) = reason { error.movedEndpoint(from: endpoint) } else { nil }
        mailbox.count { $0.losses += 1 }
        goDown(reason)
        step(.lost(attempt: attempt))
    }

    // MARK: State

    private func goDown(_ reason: RedisError) {
        if case .down(let since, _) = mailbox.client {
            mailbox.set(.down(since: since, reason: reason))
        } else {
            report(.down(since: .now, reason: reason))
        }
    }

    private func report(_ state: RedisState) {
        mailbox.set(state)
        onChange(state)
    }
}
