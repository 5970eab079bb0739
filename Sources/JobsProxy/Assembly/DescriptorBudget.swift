internal import HTTPFront
internal import Logging
internal import NIOCore

/// The shares of the file descriptors that the process may have open. Callers never use up all of them: without a descriptor the
/// gateway cannot fetch, look up or log, and libdispatch ends the process when it cannot read its own threads' state.
struct DescriptorBudget: Equatable {
    /// Connections of callers, of operators, and, on each listener, of clients that are being refused.
    let callers: Int
    let operators: Int
    let refused: Int
    let perService: Int

    /// Never given to connections: files that are read, pipes of processes, lookups, and libdispatch.
    private static let reserve = 16
    /// Standard streams, listeners, wake-ups of threads, the snapshot, and the embedded sandbox.
    private static let fixed = 24
    /// Three for each event loop (epoll, eventfd, timerfd); the fourth is for a connection of the embedded sandbox.
    private static let perLoop = 4

    /// The smallest limit that is enough for all shares.
    static func least(loops: Int) -> Int { fixed + reserve + perLoop * loops + 16 }

    /// Refuses to start where there are too few for the event loops alone, which would end the process. To be called before any is
    /// made.
    ///
    /// - Throws: `CommandFailure`.
    static func check(loops: Int = NIOSingletons.groupLoopCountSuggestion) throws(CommandFailure) {
        let (limit, least) = (Process.maxOpenFiles, least(loops: loops))
        guard limit < least else { return }
        throw CommandFailure("the process may have \(limit) files open, and needs \(least) at least: \(advice)")
    }

    /// The remedy for too few.
    static let advice = "raise the limit (ulimit -n, LimitNOFILE=)"

    /// Shares out the files that the process may have open, and logs where a part is less than is configured.
    ///
    /// - Throws: `CommandFailure` if they are too few.
    init(
        _ configuration: Configuration, _ group: any EventLoopGroup, _ logger: Logger
    ) throws(CommandFailure) {
        let limit = Process.maxOpenFiles
        let loops = group.makeIterator().reduce(0) { count, _ in count + 1 }
        let wanted = configuration.services.map(\.maxConnections)
        try Self.check(loops: loops)
        guard let budget = Self(limit: limit, services: wanted, loops: loops) else {
            throw CommandFailure("the process may have too few files open: \(Self.advice)")
        }
        func warn(_ key: String, lowered: Bool, to count: Int) {
            guard lowered else { return }
            logger.warning(
                "\(key) lowered: the process may have too few files open; \(Self.advice)",
                metadata: ["files": "\(limit)", "maxConnections": "\(count)"])
        }
        warn(
            "http.maxConnections is", lowered: budget.lowersCallers(configuration.http), to: budget.callers)
        warn("services' maxConnections are", lowered: !budget.lowered(wanted).isEmpty, to: budget.perService)
        self = budget
    }

    /// True if callers get fewer than is configured; without a limit there they get what is left.
    func lowersCallers(_ http: Configuration.HTTP) -> Bool { http.maxConnections > callers }

    /// The places of the services that get fewer than these.
    func lowered(_ services: [Int]) -> [Int] { services.indices.filter { services[$0] > perService } }

    /// `nil` if `limit` is below the least.
    ///
    /// - Parameters:
    ///   - limit: how many files the process may have open.
    ///   - services: the connections that each may have, as they are configured.
    init?(limit: Int, services: [Int], loops: Int) {
        guard limit >= Self.least(loops: loops) else { return nil }
        let spare = limit - Self.fixed - Self.reserve - Self.perLoop * loops
        let perService = max(1, min(services.max() ?? 1, spare / 4 / max(1, services.count)))
        operators = max(2, min(64, spare / 8))
        refused = max(1, min(256, spare / 16))
        let upstream = services.reduce(0) { $0 + min($1, perService) }
        callers = max(2, spare - upstream - operators - 2 * refused)
        self.perService = perService
    }
}
