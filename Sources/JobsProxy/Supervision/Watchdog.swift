internal import Glibc
internal import Locking
internal import Logging
internal import NIOCore
internal import OriginClient
internal import ServiceLifecycle
internal import Synchronization
internal import Upstream

/// Tells the supervisor that the gateway is alive for as long as every event loop and the upstream's thread are: systemd.service(5), `WatchdogSec`.
final class Watchdog: Service {
    private let socket: NotifySocket
    /// Nanoseconds between two signs of life: half of what the supervisor waits.
    private let interval: Int64
    private let loops: [any EventLoop]
    private let upstream: Upstream
    private let heartbeat: Locked<Heartbeat>
    private let isOver = Atomic<Bool>(false)
    private let logger: Logger

    /// `nil` if the supervisor has none, or means another process.
    init?(
        _ socket: NotifySocket, _ environment: [String: String], _ group: any EventLoopGroup, _ upstream: Upstream,
        _ logger: Logger
    ) {
        guard let interval = Self.interval(environment, process: getpid()) else { return nil }
        self.socket = socket
        self.interval = interval
        loops = Array(group.makeIterator())
        (self.upstream, self.logger) = (upstream, logger)
        heartbeat = Locked(Heartbeat(loops.indices.map { "event loop \($0)" } + ["upstream"]))
    }

    /// Half of `WATCHDOG_USEC`, in nanoseconds.
    static func interval(_ environment: [String: String], process: Int32) -> Int64? {
        guard let microseconds = environment["WATCHDOG_USEC"].flatMap({ Int64($0) }), microseconds > 0,
            microseconds < .max / 1_000
        else { return nil }
        if let meant = environment["WATCHDOG_PID"], Int32(meant) != process { return nil }
        return max(1_000_000, microseconds * 1_000 / 2)
    }

    /// On a thread of its own: no other thread's trouble may hold up the sign of life, or hide what is wrong.
    func run() async {
        do throws(ThreadError) {
            try spawnThread { [self] in
                while !isOver.load(ordering: .relaxed) { beat() }
            }
        } catch {
            logger.error("the watchdog has no thread", metadata: ["cause": "\(error)"])
        }
        try? await gracefulShutdown()
        isOver.store(true, ordering: .relaxed)
    }

    /// One round: a question to all, their answers, the sign of life, and the rest of the interval.
    private func beat() {
        let round = heartbeat.withLock { $0.begin() }
        for (place, loop) in loops.enumerated() {
            loop.execute { [self] in heartbeat.withLock { $0.answer(place, round: round) } }
        }
        let last = loops.count
        upstream.ping { [self] in heartbeat.withLock { $0.answer(last, round: round) } }
        var waited: Int64 = 0
        var isTold = false
        while !heartbeat.withLock({ $0.isComplete }) {
            waited += pause(of: 20)
            if isOver.load(ordering: .relaxed) { return }
            if waited >= interval, !isTold {
                isTold = true
                let silent = heartbeat.withLock { $0.silent }
                logger.error("the watchdog gets no answer", metadata: ["from": "\(silent.joined(separator: ", "))"])
            }
        }
        socket.send("WATCHDOG=1")
        while waited < interval, !isOver.load(ordering: .relaxed) { waited += pause(of: 20) }
    }

    /// Sleeps a part of the interval, and returns its length in nanoseconds.
    private func pause(of parts: Int64) -> Int64 {
        let length = min(interval / parts, 250_000_000)
        var time = timespec(tv_sec: Int(length / 1_000_000_000), tv_nsec: Int(length % 1_000_000_000))
        _ = unsafe nanosleep(&time, nil)
        return length
    }
}
