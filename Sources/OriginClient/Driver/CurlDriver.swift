internal import CCurl
internal import Glibc
internal import Primitives
internal import Streams

/// Sends attempts over its own HTTP/1.1 connections, or through one curl multi handle, which keeps connections of its own.
///
/// It belongs to the thread that made it and is not `Sendable`; only its `waker` may be used from elsewhere. It owns no
/// thread: its owner calls `wait` again and again.
///
/// `@safe` because: the multi handle is made, used and freed here alone, by one thread, and its easy handles belong to
/// slots that live as long as it does.
@safe package final class CurlDriver {
    /// Ends `wait` from any thread.
    package let waker: Waker
    var multi: OpaquePointer
    let maxConnectionsInAll: Int
    /// Nanoseconds without an attempt after which connections are closed.
    let idleLimit: Int64

    /// All slots, one for each attempt that was in flight at the busiest time.
    var slots: [CurlTransfer] = []
    var free: [Int] = []
    private(set) var slotOfID: [UInt64: Int] = [:]
    let connections = CurlConnections()
    let names: NameLookups
    var nextNameRefresh: MonotonicInstant = .distantPast
    /// Why a connection could not be opened from here though the attempt goes on; its reader sets it to nil.
    package var localFault: CurlError?

    /// Endpoints come from the configuration, so there are few and they stay.
    var pools: [OriginPool] = []
    var maxHostConnections = 0

    /// All HTTP/1.1 connections, as many as were open at the busiest time; closed ones are used again.
    var http1Connections: [HTTP1Connection] = []
    var closedConnections: [Int] = []
    /// The buffer that HTTP/1.1 connections read into, one after the other.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: scratchSize, alignment: 16)
    static var scratchSize: Int { 64 * 1024 }
    var pollSet = PollSet()
    /// How many attempts and connections libcurl has to move; at 0 it need not be asked.
    var moving = 0

    /// At or before every attempt's deadline.
    private var earliestDeadline = MonotonicInstant.distantFuture
    /// True if something was launched that libcurl has not looked at.
    var hasLaunched = false
    /// True if an attempt has to be launched again.
    var hasDetour = false
    /// The slots of the attempts whose replies may be streamed.
    var streaming: [Int] = []
    /// The replies that have begun to be streamed; their reader removes them. An attempt that has begun and finished is among them too.
    package var begun: [BegunReply] = []
    /// When the last attempt ended; nil while attempts are in flight, or no connection is open.
    var idleSince: MonotonicInstant?

    /// - Parameters:
    ///   - maxConnectionsInAll: How many connections may be open, to all hosts, idle ones included; at least 1.
    ///   - idleLimit: Nanoseconds without an attempt after which connections are closed.
    ///   - names: Looks up the names that connections go to.
    /// - Throws: `driverFault` if libcurl cannot be set up.
    package init(
        maxConnectionsInAll: Int, idleLimit: Int64 = Int64(ConnectionLife.idleSeconds) * 1_000_000_000,
        names: NameLookups = .shared
    ) throws(CurlError) {
        self.maxConnectionsInAll = min(max(1, maxConnectionsInAll), Int(Int32.max))
        self.idleLimit = idleLimit
        self.names = names
        waker = try Waker()
        unsafe multi = try Self.makeMulti(maxConnectionsInAll: self.maxConnectionsInAll)
        names.add(waker)
    }

    deinit {
        names.remove(waker)
        for slot in slots where slot.phase == .running && !slot.usesHTTP1Connection {
            _ = unsafe curl_multi_remove_handle(multi, slot.easy)
        }
        closeConnections()
        slots = []
        _ = unsafe curl_multi_cleanup(multi)
        unsafe scratch.deallocate()
    }
}

@available(*, unavailable)
extension CurlDriver: Sendable {}

// MARK: Starting and cancelling

extension CurlDriver {
    /// Takes on an attempt. The next calls of `wait` send it, and one of them reports its end.
    ///
    /// - Parameter id: Chosen by the caller, unique among those in flight.
    /// - Throws: `duplicateID`, `badField`, `badURL`, or another reason of libcurl's to refuse the request. No byte was sent
    ///   then, and the attempt is not in flight.
    package func start(_ id: UInt64, _ request: AttemptRequest) throws(CurlError) {
        guard slotOfID[id] == nil else { throw .duplicateID }
        let now = MonotonicInstant.now
        let pool = try pool(for: request.endpoint)
        let index = try freeSlot()
        let slot = slots[index]
        do {
            slot.pool = pool
            let deadline = now + request.timeout
            try slot.prepare(request, id: id, slot: index, deadline: deadline)
            if deadline > now, pools[pool].isEmpty, let place = nextPlace(in: pool, now: now) {
                try launch(slot, place, now: now)
            } else {
                slot.phase = .waiting
                pools[pool].enqueue(slot.ticket)
                if pools[pool].isNameless {
                    slot.nameDeadline = min(deadline, now + request.endpoint.connectTimeout)
                }
            }
            earliestDeadline = min(earliestDeadline, deadline, slot.nameDeadline)
            slotOfID[id] = index
            if request.streams != nil { streaming.append(index) }
        } catch {
            slot.clear()
            free.append(index)
            throw error
        }
    }

    /// Drops the attempt without a result, if it is in flight. The HTTP/1.1 connection that it was using is closed; an HTTP/2
    /// stream is reset.
    package func cancel(_ id: UInt64) {
        guard let index = slotOfID[id] else { return }
        retire(slots[index], now: MonotonicInstant.now)
    }

    private func freeSlot() throws(CurlError) -> Int {
        if let index = free.popLast() { return index }
        guard let slot = CurlTransfer(connections: connections) else { throw .outOfMemory }
        slots.append(slot)
        return slots.count - 1
    }

    /// The place of one more attempt; nil if it has to wait.
    private func nextPlace(in pool: Int, now: MonotonicInstant) -> OriginPool.Place? {
        guard let place = pools[pool].nextPlace(now: now) else { return nil }
        let isReachable =
            pools[pool].target == nil ? knowsAddresses(in: pool, now: now) : hasConnection(in: pool, now: now)
        return isReachable ? place : nil
    }

    private func launch(_ slot: CurlTransfer, _ place: OriginPool.Place, now: MonotonicInstant) throws(CurlError) {
        slot.place = place
        if let target = pools[slot.pool].target {
            try launch(slot, to: target, now: now)
            slot.phase = .running
            return pools[slot.pool].began(place)
        }
        try slot.handle.setAddresses(pools[slot.pool].addresses)
        slot.mayShare = !pools[slot.pool].speaksHTTP1
        try slot.setLaunch(now: now)
        try add(slot.handle)
        slot.phase = .running
        pools[slot.pool].began(place)
    }

    /// Takes the attempt out of the multi handle.
    ///
    /// - Parameter hasReply: true if it has brought a reply.
    func detach(_ slot: CurlTransfer, hasReply: Bool = false) {
        guard slot.phase == .running else { return }
        guard !slot.usesHTTP1Connection else {
            leaveConnection(slot, hasReply: hasReply)
            return pools[slot.pool].ended(slot.place, hasOpened: hasReply)
        }
        _ = unsafe curl_multi_remove_handle(multi, slot.easy)
        moving -= 1
        if slot.detached() { for pool in pools.indices { pools[pool].release() } }
        pools[slot.pool].ended(slot.place, hasOpened: hasReply)
    }

    /// Takes the attempt off the connection that could not be opened, and lets it wait in its pool for any that is open.
    func putBack(_ slot: CurlTransfer) {
        detach(slot)
        slot.phase = .waiting
        slot.takesAny()
        pools[slot.pool].enqueue(slot.ticket)
    }

    /// Takes the attempt out of everything and frees its slot.
    private func retire(_ slot: CurlTransfer, hasReply: Bool = false, now: MonotonicInstant) {
        guard let index = slotOfID.removeValue(forKey: slot.id) else { return }
        if slot.request?.streams != nil { streaming.removeAll { $0 == index } }
        detach(slot, hasReply: hasReply)
        slot.clear()
        free.append(index)
        if slotOfID.isEmpty { idleSince = now }
    }
}

// MARK: Waiting

extension CurlDriver {
    /// Lets attempts progress; waits at most `timeout` nanoseconds (rounded up to milliseconds where libcurl waits) for activity, a
    /// wake-up, or a timer of libcurl's or its own, and appends the attempts that finished. It may return early with
    /// none, and does not wait if `finished` holds some already.
    package func wait(timeout: Int64, finished: inout [FinishedAttempt]) {
        let start = MonotonicInstant.now
        refreshNames(now: start)
        tendStreams(now: start, &finished)
        fillPools(now: start, &finished)
        hasDetour = false
        // Launched attempts go out before anything is waited for.
        if hasLaunched { progress(now: start, &finished) }
        // Sockets are looked at even where something has ended already: replies may be there.
        let mayPause = finished.isEmpty && !hasDetour
        let pause = mayPause ? min(timeout, earliestDeadline - start) : 0
        let milliseconds = awaitSockets() || pause <= 0 ? 0 : CurlTime.milliseconds(pause)
        if moving > 0 {
            unsafe pollSet.wait(with: multi, milliseconds: Int32(milliseconds))
        } else {
            // `poll` alone is cheaper than libcurl's wait, and libcurl has no transfer that could need it.
            pollSet.wait(nanoseconds: milliseconds == 0 ? 0 : pause)
        }
        if pollSet.isWoken { waker.reset() }
        let now = MonotonicInstant.now
        if moving > 0 { progress(now: now, &finished) }
        lookAtSockets(now: now, &finished)
        beginStreams()
        expire(now: now, &finished)
        closeOldConnections(now: now)
        dropIdle(now: now)
    }

    func finish(_ slot: CurlTransfer, _ code: CURLcode, now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        if slot.phase == .running, let version = slot.collector.version { pools[slot.pool].learn(version) }
        beginStream(slot)
        let output = slot.collector.output
        let result = slot.result(code)
        var hasReply = true
        var loss: CurlConnections.Loss?
        if case .failure(let error) = result {
            hasReply = false
            loss = slot.noteLoss(error)
        }
        if hasReply { output?.end() }
        if loss?.isFirst == true { pools[slot.pool].foundNone() }
        finished.append(.init(id: slot.id, result: result, lostConnection: loss?.cause))
        retire(slot, hasReply: hasReply, now: now)
    }

    /// Ends the attempts that are past their deadlines: libcurl has no timer for those that wait. All are looked at, but only
    /// when the earliest deadline has come.
    private func expire(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        guard now >= earliestDeadline else { return }
        earliestDeadline = .distantFuture
        for slot in slots where slot.phase != .idle {
            let isNameless = slot.phase == .waiting && pools[slot.pool].isNameless
            let deadline = isNameless ? min(slot.deadline, slot.nameDeadline) : slot.deadline
            if deadline <= now {
                finish(slot, CURLE_OPERATION_TIMEDOUT, now: now, &finished)
            } else {
                earliestDeadline = min(earliestDeadline, deadline)
            }
        }
    }

    /// Gives free places to waiting attempts, except to those past their deadlines: `expire` ends them.
    private func fillPools(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        for pool in pools.indices {
            while !pools[pool].isEmpty, let place = nextPlace(in: pool, now: now), let ticket = pools[pool].dequeue() {
                guard let slot = slot(ticket, in: .waiting), slot.deadline > now else { continue }
                do {
                    try launch(slot, place, now: now)
                } catch {
                    finished.append(.init(id: slot.id, result: .failure(error)))
                    retire(slot, now: now)
                }
            }
            endNameless(in: pool, now: now, &finished)
        }
    }

    func slot(_ ticket: CurlTicket, in phase: CurlTransfer.Phase) -> CurlTransfer? {
        let index = Int(ticket.slot)
        guard slots.indices.contains(index) else { return nil }
        let slot = slots[index]
        return slot.ticket == ticket && slot.phase == phase ? slot : nil
    }
}
