internal import Locking
internal import Gateway
public import PageCache
internal import Primitives
internal import Redis

// Pages that others have fetched, or are fetching.

/// A flight of this gateway for a page that is shared.
struct OwnFlight: Sendable {
    /// The name of the page whose flight it holds in Redis; nil if it has looked for no page.
    let held: String?
    /// The epochs when it was sent; nil if it was not.
    var stamp: EpochMirror.Stamp?
}

/// A fetch that waits for another gateway's flight.
struct Follower: Sendable {
    let fetch: Fetch
    /// When it looks again though it has heard nothing.
    let nextLook: MonotonicInstant
}

extension ClusterMember {
    /// Between two looks at a flight of another gateway, in nanoseconds. Its end is heard of by the log; this is for when that fails.
    private static let lookTime: Int64 = 250_000_000

    func lookUp(_ flight: Flight, _ fetch: Fetch) {
        guard let gate else { return }
        let now = MonotonicInstant.now
        let page = keys.name(ofPage: flight.key.bytes)
        // Then the flight counts as lost, and another gateway may fetch the page, too.
        let milliseconds = max(1000, min(fetch.deadline - now, settings.flightTime) / 1_000_000)
        let wantsOlder = gate.cache.usablePage(flight.key, now: now) == nil
        let names = [keys.page(page), keys.flight(page), keys.epochs, keys.generation]
        let arguments = [
            nameBytes, bytes(milliseconds), bytes(flight.scope.index), bytes(flight.scope.service),
            bytes(wantsOlder ? 1 : 0),
        ]
        run(lookScript, as: .look, keys: names, arguments) { $0.found(flight, fetch, page, $1) }
    }

    private func found(_ flight: Flight, _ fetch: Fetch, _ name: String, _ reply: Reply?) {
        guard let gate else { return }
        guard let reply else { return gate.proceed(fetch, now: .now) }
        let now = reply.now
        let text = reply.bytes(1)
        let page = text.isEmpty ? nil : open(text, flight, at: reply)
        switch (reply.number(0), page) {
        case (1, let page?) where now < page.freshUntil:
            metrics.count(.hit)
            gate.take(page, for: fetch, isFresh: true, now: now)
        case (2, let page):
            if let page { gate.take(page, for: fetch, isFresh: false, now: now) }
            metrics.count(.followed)
            let follower = Follower(fetch: fetch, nextLook: now + Self.lookTime)
            let waits = state.withLock { state in
                guard state.log.isJoined, fetch.deadline > now else { return false }
                state.followers[name, default: []].append(follower)
                return true
            }
            if !waits { gate.proceed(fetch, now: now) }
        case (_, let page):
            if let page { gate.take(page, for: fetch, isFresh: false, now: now) }
            metrics.count(.fetched)
            state.withLock { $0.flights[flight.id] = OwnFlight(held: name) }
            gate.proceed(fetch, now: now)
        }
    }

    /// The page in a text of Redis; nil if it is forged, or has become void or too old since it was found.
    private func open(_ text: [UInt8], _ flight: Flight, at reply: Reply) -> Page? {
        guard let shared = SharedPage(text, flight.key, keys) else {
            metrics.count(.rejected)
            return nil
        }
        return state.withLock { state -> Page? in
            guard state.mirror.accepts(shared.stamp, flight.scope) else { return nil }
            let page = shared.page(flight.key, state.membership, now: reply.now)
            return reply.now < page.usableUntil ? page : nil
        }
    }

    // MARK: Own flights

    public func flightIsSent(_ flight: Flight) {
        guard settings.sharesPages else { return }
        state.withLock { state in
            guard state.log.isJoined else { return }
            // Also one that has looked for no page, because its caller wants a new one.
            let held = state.flights[flight.id]?.held
            state.flights[flight.id] = OwnFlight(held: held, stamp: state.mirror.stamp(flight.scope))
        }
    }

    public func flightEnded(_ flight: Flight, _ page: Page?) {
        let ended = state.withLock { state in
            state.flights.removeValue(forKey: flight.id).map { ($0, state.membership, state.log.isJoined) }
        }
        guard let (own, membership, isJoined) = ended, isJoined else { return }
        let name = own.held ?? keys.name(ofPage: flight.key.bytes)
        guard let page, page.status == 200, page.body.count <= ClusterSettings.maxPageBytes, let stamp = own.stamp,
            let text = SharedPage(page, stamp, membership).sealed(flight.key, keys)
        else {
            guard own.held != nil else { return }
            let arguments = [nameBytes, Array(name.utf8)]
            return run(releaseScript, as: .release, keys: [keys.flight(name), keys.log], arguments) { _, _ in }
        }
        let life = max(1, (page.usableUntil - MonotonicInstant.now) / 1_000_000)
        let arguments = [
            nameBytes, Array(name.utf8), text, bytes(life), bytes(flight.scope.index), bytes(flight.scope.service),
            bytes(stamp.scope), bytes(stamp.service), Array(stamp.generation.utf8),
            bytes(max(0, membership.time(of: page.fetchedAt))),
        ]
        let names = [keys.flight(name), keys.log, keys.page(name), keys.epochs, keys.generation]
        run(putScript, as: .put, keys: names, arguments) { member, reply in
            guard let reply else { return }
            member.metrics.count(reply.value.number == 1 ? .stored : .outdated)
        }
    }

    // MARK: Others' flights

    /// A flight that others wait for has ended.
    func flightHasEnded(_ page: String) {
        let followers = state.withLock { $0.followers.removeValue(forKey: page) } ?? []
        for follower in followers { lookAgain(follower) }
    }

    func pollFlights(now: MonotonicInstant) {
        let due = state.withLock { state in
            var due: [Follower] = []
            for (page, followers) in state.followers where followers.contains(where: { $0.nextLook <= now }) {
                due += followers
                state.followers[page] = nil
            }
            return due
        }
        for follower in due { lookAgain(follower) }
    }

    private func lookAgain(_ follower: Follower) {
        guard case .flight(let flight, _) = follower.fetch.purpose else { return }
        lookUp(flight, follower.fetch)
    }
}
