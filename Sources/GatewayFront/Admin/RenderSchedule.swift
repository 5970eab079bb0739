/// Schedules the rendering of a shared text: each request gets a text whose rendering began after it, and at most four renderings
/// begin within any second.
///
/// Idle → (request) scheduled → (begin) rendering → (end) idle, or scheduled if a request has come since it began.
struct RenderSchedule {
    /// How many begin within `span` nanoseconds.
    static let most = 4
    static let span: Int64 = 1_000_000_000

    private var isRendering = false
    private var isRequested = false
    /// When the last ones began, the oldest first; `most` at the most.
    private var begun: [Int64] = []

    init() {}

    /// A request has come.
    ///
    /// - Returns: when `begin` is to be called; `nil` if that is scheduled already, or if `end` will schedule it.
    mutating func request(now: Int64) -> Int64? {
        guard !isRequested else { return nil }
        isRequested = true
        return isRendering ? nil : start(now)
    }

    /// Rendering begins, for all requests so far.
    mutating func begin(now: Int64) {
        isRequested = false
        isRendering = true
        if begun.count == Self.most { begun.removeFirst() }
        begun.append(now)
    }

    /// Rendering has ended.
    ///
    /// - Returns: when `begin` is to be called again; `nil` if no request has come since it was called.
    mutating func end(now: Int64) -> Int64? {
        isRendering = false
        return isRequested ? start(now) : nil
    }

    private func start(_ now: Int64) -> Int64 {
        guard begun.count == Self.most, let first = begun.first else { return now }
        return max(now, first + Self.span)
    }
}
