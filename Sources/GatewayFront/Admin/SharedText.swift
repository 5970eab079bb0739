internal import HTTPFront
internal import Locking
internal import NIOCore
internal import Primitives

/// A text that takes long to render, and that any client may request at any rate. It is rendered off the event loops, once for all
/// requests that came meanwhile; see `RenderSchedule`.
public final class SharedText: Sendable {
    /// Runs work that takes long on a thread that serves no caller.
    public typealias Offload = @Sendable (@escaping @Sendable () -> Void) -> Void

    private struct Request {
        let eventLoop: any EventLoop
        let deliver: @Sendable ([UInt8]) -> Void
    }

    private struct State {
        var schedule = RenderSchedule()
        var requests: [Request] = []
    }

    private let state = Locked(State())
    private let render: @Sendable () -> [UInt8]
    private let offload: Offload

    public init(offload: @escaping Offload, render: @escaping @Sendable () -> [UInt8]) {
        self.offload = offload
        self.render = render
    }

    /// Answers a request with the text, later.
    ///
    /// - Parameter write: writes the answer; called on the event loop, unless the client has gone.
    func answer<R: Responder>(
        _ waiter: Waiter, on loop: ServerLoop<R>, now: MonotonicInstant,
        _ write: @escaping @Sendable (R, [UInt8], inout ResponseWriter) -> Void
    ) {
        let bound = NIOLoopBound(WeakLoop(loop: loop), eventLoop: loop.eventLoop)
        let request = Request(eventLoop: loop.eventLoop) { text in
            bound.eventLoop.execute {
                bound.value.loop?.answer(waiter) { responder, response in write(responder, text, &response) }
            }
        }
        let start = state.withLock { state -> MonotonicInstant? in
            state.requests.append(request)
            return state.schedule.request(now: now)
        }
        if let start { schedule(at: start, now: now, on: loop.eventLoop) }
    }

    private func schedule(at start: MonotonicInstant, now: MonotonicInstant, on eventLoop: any EventLoop) {
        guard start > now else { return offload { self.renderOnce() } }
        eventLoop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: start.nanoseconds))) {
            self.offload { self.renderOnce() }
        }
    }

    private func renderOnce() {
        let requests = state.withLock { state -> [Request] in
            state.schedule.begin(now: Self.now)
            defer { state.requests = [] }
            return state.requests
        }
        let text = render()
        for request in requests { request.deliver(text) }
        let (start, eventLoop) = state.withLock { ($0.schedule.end(now: Self.now), $0.requests.first?.eventLoop) }
        if let start, let eventLoop { schedule(at: start, now: Self.now, on: eventLoop) }
    }

    private static var now: MonotonicInstant { NIODeadline.now().instant }
}

/// The loop owns its responder, so nothing that a responder keeps may own the loop.
struct WeakLoop<R: Responder> { weak var loop: ServerLoop<R>? }

/// Schedules the rendering of a shared text: each request gets a text whose rendering began after it, and at most four renderings
/// begin within any second.
///
/// Idle → (request) scheduled → (begin) rendering → (end) idle, or scheduled if a request has come since it began.
struct RenderSchedule {
    /// How many begin within `span` nanoseconds.
    static let maxRenderings = 4
    static let span: Int64 = 1_000_000_000

    private var isRendering = false
    private var isRequested = false
    /// When the last ones began, the oldest first; `most` at the most.
    private var begun: [MonotonicInstant] = []

    init() {}

    /// A request has come.
    ///
    /// - Returns: when `begin` is to be called; `nil` if that is scheduled already, or if `end` will schedule it.
    mutating func request(now: MonotonicInstant) -> MonotonicInstant? {
        guard !isRequested else { return nil }
        isRequested = true
        return isRendering ? nil : start(now)
    }

    /// Rendering begins, for all requests so far.
    mutating func begin(now: MonotonicInstant) {
        isRequested = false
        isRendering = true
        if begun.count == Self.maxRenderings { begun.removeFirst() }
        begun.append(now)
    }

    /// Rendering has ended.
    ///
    /// - Returns: when `begin` is to be called again; `nil` if no request has come since it was called.
    mutating func end(now: MonotonicInstant) -> MonotonicInstant? {
        isRendering = false
        return isRequested ? start(now) : nil
    }

    private func start(_ now: MonotonicInstant) -> MonotonicInstant {
        guard begun.count == Self.maxRenderings, let first = begun.first else { return now }
        return max(now, first + Self.span)
    }
}
