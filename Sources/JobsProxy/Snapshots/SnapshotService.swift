internal import Gateway
internal import Locking
internal import Logging
internal import NIOPosix
internal import Primitives
internal import ServiceLifecycle

/// Reads the pages of a gateway from their file at its start, and writes them there from time to time and at its end.
final class SnapshotService: ServiceLifecycle.Service {
    private let keeper: SnapshotKeeper
    private let gate: Gate
    private let logger: Logger
    /// Why the pages were not written the last time; `nil` if they were.
    private let fault = Locked<String?>(nil)

    /// The time between two writings, in nanoseconds.
    private static let interval: Int64 = 120_000_000_000
    /// The same after a caller's write, which invalidates some of the file's pages.
    private static let renewal: Int64 = 10_000_000_000
    /// The least time between two writings, as a multiple of the time that the last one took.
    private static let share: Int64 = 20

    init(_ keeper: SnapshotKeeper, _ gate: Gate, _ logger: Logger) {
        (self.keeper, self.gate, self.logger) = (keeper, gate, logger)
    }

    /// Reads the pages, or logs why they are not used.
    ///
    /// - Parameter isEnding: asked before each piece; the rest is left out once it returns true.
    func load(until isEnding: @escaping () -> Bool) {
        do throws(CommandFailure) {
            guard let pages = try keeper.load(into: gate, until: isEnding) else { return }
            logger.info("snapshot read", metadata: ["pages": "\(pages)"])
        } catch {
            logger.warning("the snapshot is not read: the cache starts empty", metadata: ["cause": "\(error)"])
        }
    }

    /// Writes from time to time, and for the last time at the end, when no fetch is in flight.
    func run() async {
        await cancelWhenGracefulShutdown { await self.writeFromTimeToTime() }
        save()
        guard let until = keeper.end() else { return }
        logger.warning("the file system does not let the snapshot be made void: its time is waited for")
        try? await Task.sleep(for: .nanoseconds(until - Process.now))
    }

    /// Writes on a thread that no request waits for, until it is cancelled.
    private func writeFromTimeToTime() async {
        var last = Process.now
        var pause = Self.renewal
        while (try? await Task.sleep(for: .milliseconds(250))) != nil {
            let isDue = Process.now - last >= (keeper.writesSinceSaved > 0 ? pause : Self.interval)
            let took = try? await NIOThreadPool.singleton.runIfActive { [self] in
                keeper.refresh(gate.cache)
                let begun = Process.now
                if isDue { save() }
                return Process.now - begun
            }
            guard isDue else { continue }
            last = Process.now
            pause = max(Self.renewal, (took ?? 0) * Self.share)
        }
    }

    /// Logs why the pages are not written when that changes, not each time.
    func save() {
        do throws(FileError) {
            guard let pages = try keeper.save(gate.cache, gate.savablePages) else { return }
            if fault.withLock({ $0.take() }) != nil { logger.notice("the snapshot is written again") }
            logger.debug("snapshot written", metadata: ["pages": "\(pages)"])
        } catch {
            let cause = "\(error)"
            let isKnown = fault.withLock { fault in
                defer { fault = cause }
                return fault == cause
            }
            if !isKnown { logger.error("the snapshot is not written", metadata: ["cause": "\(cause)"]) }
        }
    }
}
