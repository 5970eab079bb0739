internal import NIOHTTP2

/// The windows for the content that a client sends over one HTTP/2 connection (RFC 9113, section 5.2).
///
/// The content of incomplete requests that is kept must be bounded, and yet each request must be able to end, in whatever order content
/// arrives. So every stream has a small window, which is enough for most requests, and a few streams at a time have a window for all of
/// their content. The window of the connection is the sum of both.
struct ReceiveWindows {
    /// The window of the connection: what the client may send before it is given more.
    private var connection = 65_535
    /// The window of a new stream. The settings apply as soon as the client has confirmed them.
    private(set) var initial = 65_535
    /// The streams with a window for all of their content.
    private var wide: Set<HTTP2StreamID> = []
    private var waiting: [HTTP2StreamID] = []

    /// The client has used some of the connection's window, or was given more.
    mutating func connectionChanged(to size: Int) { connection = size }

    /// The client has confirmed the settings. Until then it uses the windows of the RFC, and may have sent more than its window is now
    /// (section 6.9.2).
    mutating func initialChanged(by delta: Int) { initial += delta }

    /// True if the client may not send content of a stream, because other streams come before it.
    func isHeldUp(_ id: HTTP2StreamID) -> Bool { waiting.contains(id) }

    /// The client has used up some of the window of a stream that awaits content.
    ///
    /// - Returns: a stream that gets a wide window now; `nil` if none does.
    mutating func streamShrank(_ id: HTTP2StreamID, to size: Int, limits: HTTPLimits) -> HTTP2StreamID? {
        guard size < limits.streamWindow / 2, !wide.contains(id), !waiting.contains(id) else { return nil }
        waiting.append(id)
        return widened()
    }

    /// A stream needs no more content.
    ///
    /// - Returns: another stream that gets a wide window now; `nil` if none does.
    mutating func streamEnded(_ id: HTTP2StreamID) -> HTTP2StreamID? {
        guard wide.remove(id) == nil else { return widened() }
        waiting.removeAll { $0 == id }
        return nil
    }

    private mutating func widened() -> HTTP2StreamID? {
        guard wide.count < HTTPLimits.wideStreams, !waiting.isEmpty else { return nil }
        let id = waiting.removeFirst()
        wide.insert(id)
        return id
    }

    /// The increment of the connection's window; `nil` while the increment would be too small to be worth a frame.
    ///
    /// - Parameter kept: the content of all incomplete requests.
    func increment(kept: Int, limits: HTTPLimits) -> Int? {
        let increment = limits.connectionWindow - kept - connection
        return increment >= limits.streamWindow ? increment : nil
    }
}
