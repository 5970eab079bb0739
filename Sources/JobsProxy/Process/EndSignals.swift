internal import CProcess
internal import Glibc
internal import Locking
internal import Logging
internal import OriginClient
internal import ServiceLifecycle

/// SIGTERM and SIGINT, which end the process in order, or at once if they come again; and SIGHUP.
///
/// Made before any work that takes time: without a handler a signal ends the process, and process 1 of a container does not get it at all.
final class EndSignals: Service {
    private struct State {
        /// True once the process has begun work that it must end in order.
        var mustEndInOrder = false
        var isRaised = false
        /// What SIGHUP asks for; until that is known, whether it has come.
        var hangUp: (@Sendable () -> Void)?
        var hasHungUp = false
        /// Called once, when the end is asked for.
        var atEnd: (@Sendable () -> Void)?
    }

    private let state = Locked(State())
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// From now on a signal ends the process at once and with 0, because no work has begun.
    ///
    /// - Throws: `CommandFailure` if the system refuses.
    init() throws(CommandFailure) {
        (stream, continuation) = AsyncStream.makeStream()
        guard cprocess_count_signals() else {
            throw CommandFailure("cannot handle signals: \(unsafe String(cString: strerror(errno)))")
        }
        do throws(ThreadError) {
            try spawnThread { [self] in
                while true {
                    if cprocess_wait_for_signal() { raise() } else { hangUp() }
                }
            }
        } catch {
            throw CommandFailure("cannot handle signals: no thread could be started: \(error)")
        }
    }

    /// From now on a signal only asks for the end, and a second one ends the process at once.
    ///
    /// - Parameter action: called when the end is asked for, on a thread of its own.
    func endInOrder(_ action: (@Sendable () -> Void)? = nil) {
        state.withLock { state in
            state.mustEndInOrder = true
            state.atEnd = action
        }
    }

    /// From now on SIGHUP has `action` called, on a thread of its own; at once if it has come before.
    func onHangUp(_ action: @escaping @Sendable () -> Void) {
        let hasHungUp = state.withLock { state in
            state.hangUp = action
            defer { state.hasHungUp = false }
            return state.hasHungUp
        }
        if hasHungUp { action() }
    }

    /// True once a signal has asked for the end.
    var isRaised: Bool { state.withLock { $0.isRaised } }

    /// Returns when a signal asks for the end; the other services of the group end then.
    func run() async {
        for await _ in stream.cancelOnGracefulShutdown() { return }
    }

    private func raise() {
        let (endsAtOnce, action) = state.withLock { state in
            let endsAtOnce = !state.mustEndInOrder || state.isRaised
            state.isRaised = true
            defer { state.atEnd = nil }
            return (endsAtOnce, state.atEnd)
        }
        // Nothing is to be said of it: it is what was asked for.
        guard !endsAtOnce else { _exit(0) }
        action?()
        continuation.yield()
    }

    private func hangUp() {
        state.withLock { state in
            if state.hangUp == nil { state.hasHungUp = true }
            return state.hangUp
        }?()
    }
}

extension ServiceGroup {
    /// A group that ends in order, the last service first, when a signal asks for it.
    init(_ services: [any Service], until signals: EndSignals, logger: Logger) {
        self.init(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) } + [
                    .init(service: signals, successTerminationBehavior: .gracefullyShutdownGroup)
                ], logger: logger))
    }
}
