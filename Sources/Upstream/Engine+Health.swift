internal import Gateway
internal import OriginClient
internal import RateLimiter

// How the services are, and what an operator is told of it.

/// A quota group of a service.
struct GroupPlace: Hashable {
    let service: Int
    let group: Int
}

// MARK: Breakers

extension Engine {
    /// Takes the end of an attempt for a sign of its service's health.
    ///
    /// - Parameter isFirstSign: false if another attempt has told of the same cause, a connection that they shared.
    func recordHealth(_ call: Call, _ result: AttemptResult, isFirstSign: Bool, now: Int64) {
        let service = call.fetch.service
        if let error = result.error, error.isLocalFault { noteLocalFault(error, now: now) }
        guard let sign = result.sign(isCutShort: call.isCutShort), isFirstSign || call.isProbe else {
            let isOfService = result.error?.isLocalFault != true
            breakers[service].recordNothing(isProbe: call.isProbe, wasSent: isOfService, now: now)
            showBreaker(service)
            return
        }
        let change = breakers[service].record(
            sign, of: call.input, isRepeat: call.attempts > 1, isProbe: call.isProbe, now: now, using: &random)
        guard let change else { return }
        showBreaker(service)
        switch change {
        case .opened(let cause, let span):
            upstream.report(
                "\(serviceName(service)): breaker open for \(span / 1_000_000) ms, because \(Self.words(cause))")
        case .closed: upstream.report("\(serviceName(service)): breaker closed, the service answers again")
        }
    }

    /// An attempt goes out to find out whether the service answers again.
    func noteProbe(_ service: Int) {
        showBreaker(service)
        upstream.report("\(serviceName(service)): breaker half-open, one attempt is sent as a probe")
    }

    func showBreaker(_ service: Int) { upstream.breakerFigures[service].value = breakers[service].figure }

    func serviceName(_ service: Int) -> String { "service \(gate.services[service].settings.name)" }

    private static func words(_ cause: Breaker.Cause) -> String {
        switch cause {
        case .failuresInARow(let count): "\(count) attempts in a row have failed"
        case .failures(let count, let attempts): "\(count) of \(attempts) attempts of the last ten seconds have failed"
        case .probe: "the probe has failed"
        }
    }
}

extension AttemptResult {
    /// Why there is no reply.
    var error: CurlError? { if case .failure(let error) = outcome { error } else { nil } }

    /// What it says of the service's health; nil if it says nothing.
    ///
    /// - Parameter isCutShort: whether the attempt had less time than the service is given.
    func sign(isCutShort: Bool) -> Breaker.Sign? {
        if isCutShort, kind == .timeout { return nil }
        if error?.isLocalFault == true { return nil }
        guard kind.isFailure else { return .good }
        return mayHaveSent ? .failed : .unreachable
    }
}

// MARK: This machine

extension Engine {
    /// Tells of what is lacking here, at most once a minute for each cause.
    private func noteLocalFault(_ error: CurlError, now: Int64) {
        if let last = localFaults[error.detail], now - last < 60_000_000_000 { return }
        localFaults[error.detail] = now
        upstream.report("services are not reached: \(error)")
    }

    /// Tells of it too where attempts wait for connections that are open.
    func noteDriverFault(now: Int64) {
        guard let error = driver.localFault else { return }
        driver.localFault = nil
        noteLocalFault(error, now: now)
    }
}

// MARK: Quota

extension Engine {
    /// The service throttles though the quota was kept: others use it too.
    func slowDown(_ call: Call, now: Int64) {
        let service = gate.services[call.fetch.service]
        let group = service.groups[call.fetch.quotaGroup]
        guard group.throttled(sentAt: call.sentAt, now: now) else { return }
        // Those who wait may have lost their turn.
        nextRelease = now
        let place = GroupPlace(service: call.fetch.service, group: call.fetch.quotaGroup)
        guard slowed.insert(place).inserted else { return }
        upstream.report(
            "service \(service.settings.name) throttles quota group \(name(place)) below its quota: slowing down")
    }

    /// The service has said when it wants to be asked again: the quota group sends nothing before.
    func hold(_ call: Call, _ result: AttemptResult, now: Int64) {
        guard result.kind == .throttled || result.kind == .serverError, result.requestedWait > 0 else { return }
        let until = now &+ min(result.requestedWait, Self.longestHold)
        gate.services[call.fetch.service].groups[call.fetch.quotaGroup].hold(until: until, now: now)
        // Those who wait may have lost their turn.
        nextRelease = now
    }

    /// No reply, however wrong, stops a quota group for longer.
    private static let longestHold: Int64 = 300_000_000_000

    /// Looks which groups are back at their full rate.
    func noteRecovery(now: Int64) {
        for place in slowed {
            let group = gate.services[place.service].groups[place.group]
            guard group.currentQuota(now: now) == group.quota else { continue }
            slowed.remove(place)
            let service = gate.services[place.service].settings.name
            upstream.report("quota group \(name(place)) of service \(service) is back at its full rate")
        }
    }

    private func name(_ place: GroupPlace) -> String {
        gate.services[place.service].catalog.quotaGroups[place.group].name
    }
}
