internal import PageCache
public import Primitives

// Requests that end before their answer comes.

extension Gate {
    /// The client of a waiting call has gone. A flight goes on all the same if it has been sent; what still waits for its
    /// token, and for this client alone, does not.
    public func abandon(_ call: Call, waiter: Waiter, now: MonotonicInstant) {
        switch call.action {
        case .page(let page):
            if let flight = cache.removeWaiter(waiter, of: page.key) { withdraw(flight, page.request, now: now) }
        case .pass(let request):
            guard let attempt = queue.withdraw(request, where: { $0.isFor(waiter) }) else { return }
            let turn = queue.turn(of: attempt, now: now)
            deliver([finish(queue.end(attempt), .throttled(.quota, until: turn), now: now)])
        case .refuse:
            break
        }
    }

    /// Withdraws a flight without waiters if it still waits for its first token.
    func withdraw(_ flight: Flight, _ request: Call.ServiceRequest, now: MonotonicInstant) {
        guard let attempt = queue.withdraw(request, where: { $0.isFor(flight) }) else { return }
        guard !cache.cancelIfUnwanted(flight) else {
            _ = queue.end(attempt)
            cluster?.flightEnded(flight, nil)
            return
        }
        // A client has joined in the meantime.
        switch queue.admit(attempt, now: now) {
        case .granted(let attempt): upstream.start(attempt)
        case .queued: upstream.queueGrew()
        case .refused(let attempt, let scope, let until):
            deliver([finish(attempt, .throttled(scope, until: until), now: now)])
        }
    }

    /// How long a request waits for its answer at the most, in nanoseconds: the call's time, and a moment for the fetch to
    /// report its own end. The answer to a write waits for the other gateways, too.
    public func patience(_ call: Call) -> Int64 {
        let isWrite = call.request?.invalidates.isEmpty == false
        return (call.request?.callTimeout ?? call.service?.settings.callTimeout ?? 0) &+ 250_000_000
            &+ (isWrite ? cluster?.longestAcknowledgement ?? 0 : 0)
    }

    /// The error for a request whose time is over; nil for one that never waits. If it is a write, which may have taken
    /// effect, the pages that it is about are made void first.
    public func overdue(_ call: Call, waiter: Waiter, now: MonotonicInstant) -> GatewayError? {
        leave(call, waiter: waiter, now: now).map {
            .upstreamFault("the time for the call is over", detail: "deadline", $0.catalog)
        }
    }

    /// As `overdue`, for a request that still waits when the gateway ends.
    public func ending(_ call: Call, waiter: Waiter, now: MonotonicInstant) -> GatewayError? {
        leave(call, waiter: waiter, now: now).map { _ in .ending }
    }

    /// - Returns: the service that the call is for; `nil` for one that never waits.
    private func leave(_ call: Call, waiter: Waiter, now: MonotonicInstant) -> Service? {
        guard let service = call.service else { return nil }
        if case .pass(let request) = call.action {
            for scope in request.invalidates { cache.invalidate(scope) }
        }
        abandon(call, waiter: waiter, now: now)
        return service
    }
}
