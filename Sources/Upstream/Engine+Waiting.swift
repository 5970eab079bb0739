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
            if let call = calls[pause.call] { askForTokens(call, now: now) }
        }
    }

    /// Lets a call wait for credentials. It has no tokens then, and asks for them anew, lest all who waited leave at once.
    func park(_ call: Call) {
        parked.append(call)
        nextParkedEnd = min(nextParkedEnd, call.fetch.deadline)
    }

    /// Credentials have come, or are known not to come.
    func unpark(now: Int64) {
        let due = parked
        parked = []
        nextParkedEnd = .max
        for call in due where calls[call.fetch.id] != nil { askForTokens(call, now: now) }
    }

    /// Ends the calls whose time was over before credentials came.
    func endParked(now: Int64) {
        let due = parked.filter { $0.fetch.deadline <= now }
        parked.removeAll { $0.fetch.deadline <= now }
        nextParkedEnd = parked.reduce(.max) { min($0, $1.fetch.deadline) }
        for call in due where calls[call.fetch.id] != nil {
            finish(
                call, with: call.last, detail: "credentials", cause: "the gateway's credentials did not come in time",
                now: now)
        }
    }

    private func askForTokens(_ call: Call, now: Int64) {
        // A first attempt that waits for its turn is as if it had never been here: its clients may still leave.
        if call.attempts == 0 { calls[call.fetch.id] = nil }
        switch gate.admit(PendingAttempt(fetch: call.fetch, number: call.attempts + 1), now: now) {
        case .granted:
            calls[call.fetch.id] = call
            send(call, now: now)
        // It may have pushed others out of the queue.
        case .queued: nextRelease = now
        case .refused(let scope, let until): refuse(call.fetch, scope, until: until, now: now)
        }
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
