internal import Gateway
internal import RateLimiter

// Calls that wait: for the end of a pause, for tokens, for credentials.

extension Engine {
    func pause(_ call: Call, until: Int64) {
        pauses.append(Pause(until: until, call: call.fetch.id))
        nextPause = min(nextPause, until)
    }

    func endPauses(now: Int64) {
        let due = pauses.filter { $0.until <= now }
        pauses.removeAll { $0.until <= now }
        nextPause = pauses.reduce(.max) { min($0, $1.until) }
        for pause in due {
            guard let call = calls[pause.call] else { continue }
            switch gate.admit(PendingAttempt(fetch: call.fetch, number: call.attempts + 1), now: now) {
            case .granted: send(call, now: now)
            // It may have pushed others out of the queue.
            case .queued: nextRelease = now
            case .refused(let scope, let until): refuse(call.fetch, scope, until: until, now: now)
            }
        }
    }

    /// Credentials have come, or are known not to come.
    func unpark(now: Int64) {
        let due = Set(parked)
        parked = []
        pauses.removeAll { due.contains($0.call) }
        for call in due.compactMap({ calls[$0] }) { pause(call, until: now) }
    }

    /// Sends what has its token by now, and refuses what will not have it in time.
    func releaseQueues(now: Int64) {
        var granted: [PendingAttempt] = []
        var expired: [PendingAttempt] = []
        var next = now + Self.longestSleep
        for service in gate.services {
            for group in service.groups {
                if let turn = group.release(now: now, granted: &granted, expired: &expired) { next = min(next, turn) }
            }
        }
        // Before the attempts are sent: what they do may call for another look.
        nextRelease = next
        for attempt in granted {
            // A retry's call may have ended meanwhile.
            if attempt.number == 1 {
                send(begin(attempt.fetch, now: now), now: now)
            } else if let call = calls[attempt.fetch.id] {
                send(call, now: now)
            }
        }
        for attempt in expired {
            refuse(attempt.fetch, .quota, until: gate.withdraw(attempt, now: now), now: now)
        }
        if !slowed.isEmpty { noteRecovery(now: now) }
    }
}
