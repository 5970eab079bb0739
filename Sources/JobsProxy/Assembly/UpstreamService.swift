internal import Gateway
internal import Primitives
internal import ServiceLifecycle
internal import Upstream

struct UpstreamService: ServiceLifecycle.Service {
    private let upstream: Upstream

    /// The time that fetches in flight have when no caller is left, in nanoseconds.
    private static let timeToEnd: Int64 = 1_000_000_000

    /// Starts the thread; on return it takes fetches.
    ///
    /// - Throws: `UpstreamError` if libcurl or the thread cannot be had.
    init(_ upstream: Upstream, for gate: Gate) async throws {
        self.upstream = upstream
        try await upstream.run(for: gate)
    }

    func run() async {
        try? await gracefulShutdown()
        upstream.stop(by: Process.now + Self.timeToEnd)
        await upstream.ended()
    }
}
