/// When a text that many ask for is rendered: each who asks gets one whose rendering began after that, and it begins at most four times
/// a second, after up to four at once.
///
/// Idle → (request) scheduled → (begin) rendering → (end) idle, or scheduled if somebody has asked since it began.
struct RenderSchedule {
    /// Between two renderings, in nanoseconds.
    static let interval: Int64 = 250_000_000
    private static let burst: Int64 = 4

    private var isRendering = false
    private var isRequested = false
    /// When a whole burst may begin again. Monotonic time is never below 0.
    private var fullAt: Int64 = 0

    init() {}

    /// Somebody asks.
    ///
    /// - Returns: when `begin` is to be called; `nil` if that is arranged already, or `end` will arrange it.
    mutating func request(now: Int64) -> Int64? {
        guard !isRequested else { return nil }
        isRequested = true
        return isRendering ? nil : start(now)
    }

    /// Rendering begins, for all who have asked so far.
    mutating func begin(now: Int64) {
        isRequested = false
        isRendering = true
        fullAt = max(fullAt, now) + Self.interval
    }

    /// Rendering has ended.
    ///
    /// - Returns: when `begin` is to be called again; `nil` if nobody has asked since the last time.
    mutating func end(now: Int64) -> Int64? {
        isRendering = false
        return isRequested ? start(now) : nil
    }

    private func start(_ now: Int64) -> Int64 { max(now, fullAt - (Self.burst - 1) * Self.interval) }
}
