internal import HTTPFront
internal import Locking
internal import NIOCore

/// A text that takes long to render, and that any client may request at any rate. It is rendered off the event loops, once for all
/// requests that came meanwhile; see `RenderSchedule`.
public final class SharedText: Sendable {
    /// Runs work that takes long on a thread that serves no caller.
    public typealias Offload = @Sendable (@escaping @Sendable () -> Void) -> Void

    /// One request for the text.
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
        _ ticket: Ticket, on loop: ServerLoop<R>, now: Int64,
        _ write: @escaping @Sendable (R, [UInt8], inout ResponseWriter) -> Void
    ) {
        let bound = NIOLoopBound(WeakLoop(loop: loop), eventLoop: loop.eventLoop)
        let request = Request(eventLoop: loop.eventLoop) { text in
            bound.eventLoop.execute {
                bound.value.loop?.answer(ticket) { responder, response in write(responder, text, &response) }
            }
        }
        let start = state.withLock { state -> Int64? in
            state.requests.append(request)
            return state.schedule.request(now: now)
        }
        if let start { schedule(at: start, now: now, on: loop.eventLoop) }
    }

    private func schedule(at start: Int64, now: Int64, on eventLoop: any EventLoop) {
        guard start > now else { return offload { self.renderOnce() } }
        eventLoop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: start))) {
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

    private static var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}

/// The loop owns its responder, so nothing that a responder keeps may own the loop.
private struct WeakLoop<R: Responder> { weak var loop: ServerLoop<R>? }
