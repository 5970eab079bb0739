internal import AWSProtocol
internal import Gateway
internal import HTTPFront
internal import NIOCore
internal import PageCache
public import Primitives
internal import Tracing

// The answers to requests that have waited.

extension GatewayResponder {
    /// The fetch that a request waits for has ended.
    func arrive(_ arrival: Arrival, _ story: FetchStory?, for waiter: Waiter) {
        guard let request = waiting.all.removeValue(forKey: waiter) else { return }
        let now = loop.eventLoop.now.instant
        // Counted inside: when `answer` returns, requests that waited behind this one on its connection may be answered too.
        let isAnswered = loop.answer(waiter) { responder, response in
            responder.renderer.arrival(
                arrival, role: request.role, for: request.call, acceptsGzip: request.acceptsGzip, &response, now: now)
            responder.count(arrival, story, request, response, now: now)
        }
        if !isAnswered { count(arrival, story, request, nil, now: now) }
    }

    /// - Parameter response: where the answer was just written; `nil` if the client has gone.
    private func count(
        _ arrival: Arrival, _ story: FetchStory?, _ request: Waiting, _ response: ResponseWriter?,
        now: MonotonicInstant
    ) {
        let outcome: Outcome
        var status = 200
        var detail = ""
        var cause = ""
        var age: Int64?
        switch arrival {
        case .page(let page):
            outcome = request.role == .follower ? .coalesced : .miss
            age = page.age(now: now)
        case .stale(let page, let use):
            outcome = .stale
            status = page.status
            detail = Self.detail(page, use)
            age = page.age(now: now)
            counters.countStale(use, of: request.call)
        case .reply(let reply):
            status = reply.answerStatus
            if status < 300 {
                outcome = request.role == .pass ? .pass : request.role == .follower ? .coalesced : .miss
            } else {
                outcome = .failed
                detail = reply.errorCode ?? ""
            }
        // Counted, logged and timed when its head is passed on.
        case .stream(let head, _):
            outcome = .pass
            status = head.status
        case .error(let error):
            outcome = error.outcome
            status = error.status
            detail = error.detail
            cause = Self.cause(error)
            if let scope = error.scope { counters.count(scope, of: request.call) }
        }
        counters.count(outcome, operation: request.call.operation, caller: request.caller)
        counters.countDuration(now - request.since, outcome)
        if let age { counters.countAge(age) }
        guard let note = request.note, recorder.records(status: status) || note.trace?.isRecorded == true else {
            return
        }
        let answered = AnsweredRequest(
            request.call.operation, request.caller, outcome, status: status, detail: detail, call: request.call,
            age: age,
            duration: now - request.since, story: story, cause: cause)
        recorder.record(answered, note, id: response == nil ? [] : renderer.lastID, response)
    }

    /// Answers the requests that wait still.
    public func endIsNear(now: MonotonicInstant) {
        for (waiter, request) in waiting.all {
            guard let error = gate.ending(request.call, waiter: waiter, now: now) else { continue }
            arrive(.error(error), nil, for: waiter)
        }
    }

    /// Why a request failed, in words. The words of other errors may repeat parts of the request.
    static func cause(_ error: GatewayError) -> String {
        error.outcome == .failed ? error.error.message : ""
    }

    /// The reason for a page that is stale, or the error that a page is.
    static func detail(_ page: Page, _ use: PageUse) -> String {
        if case .unrefreshable(let reason, _) = use { reason.rawValue } else { page.errorCode ?? "" }
    }
}
