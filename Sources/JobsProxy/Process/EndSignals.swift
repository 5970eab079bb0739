internal import CProcess
internal import Glibc
internal import Locking
internal import Logging
internal import ServiceLifecycle
internal import OriginClient

/// SIGTERM and SIGINT. Made before any work that takes time: without a handler, a signal ends the process, and process 1 of a
/// container does not get it at all.
final class EndSignals: Service {
    private struct State {
        /// True once the process has begun work that it must end in order.
        var mustEndInOrder = false
        var isRaised = false
    }

    private let state = Locked(State())
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    /// From now on a signal ends the process at once and with 0, because no work has begun.
    ///
    /// - Throws: `CommandFailure` if the system refuses.
    init() throws(CommandFailure) {
        (stream, continuation) = AsyncStream.makeStream()
        guard cprocess_count_end_signals() else {
            throw CommandFailure("cannot handle signals: \(unsafe String(cString: strerror(errno)))")
        }
        do throws(ThreadError) {
            try spawnThread { [self] in
                while true {
                    cprocess_wait_for_end_signal()
                    raise()
                }
            }
        } catch {
            throw CommandFailure("cannot handle signals: no thread could be started: \(error)")
        }
    }

    /// From now on a signal only asks for the end.
    func endInOrder() { state.withLock { $0.mustEndInOrder = true } }

    /// True once a signal has asked for the end.
    var isRaised: Bool { state.withLock { $0.isRaised } }

    /// Returns when a signal asks for the end; the other services of the group end then.
    func run() async {
        for await _ in stream.cancelOnGracefulShutdown() { return }
    }

    private func raise() {
        let mustEndInOrder = state.withLock { state in
            state.isRaised = true
            return state.mustEndInOrder
        }
        guard mustEndInOrder else { _exit(0) }
        continuation.yield()
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
