public import NIOCore
public import Primitives

/// The state that the connections of one event loop share: the responder, the scratch memory for requests and answers, the batch of
/// reads, the ticker of deadlines. Used on the thread of that loop only.
public final class ServerLoop<R: Responder> {
    /// The index of this loop among the server's loops.
    public let index: Int32
    /// The event loop itself.
    public let eventLoop: any EventLoop
    /// The limits of its connections.
    public let limits: HTTPLimits
    let limiter: ConnectionLimiter
    let unsent: UnsentLedger
    private var unsentNumber = 0
    private var scratch: LoopScratch?
    var batch = ReadBatch()
    /// Ends a turn of the event loop in which bytes have arrived.
    private(set) var endTurn: @Sendable () -> Void = {}
    private(set) var isDraining = false
    /// The time until which an idle connection may still send a request while the loop drains.
    private(set) var drainGrace = MonotonicInstant.distantFuture

    private var slots: [(any LoopSlot<R>)?] = []
    private var freeSlots: [Int32] = []
    private var lastGeneration: UInt64 = 0
    private var lastWallSecond: Int64 = -1
    private var ticker: RepeatedTask?
    /// The responder of this loop; `nil` while it is being made.
    private(set) var responder: R?
    private let wallClock: @Sendable () -> WallInstant

    init(
        index: Int32, eventLoop: any EventLoop, limits: HTTPLimits, limiter: ConnectionLimiter,
        unsent: UnsentLedger, wallClock: @escaping @Sendable () -> WallInstant, makeResponder: (ServerLoop<R>) -> R
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.limits = limits
        self.limiter = limiter
        self.unsent = unsent
        self.wallClock = wallClock
        responder = makeResponder(self)
    }

    /// Writes the answer to a request whose disposition is `.later`.
    ///
    /// `write` is called at once, or as soon as the connection has ended what it does: an answer may be given before `respond` has
    /// returned. It is never called if the client goes meanwhile.
    ///
    /// - Returns: false if the client has gone; `write` is not called then.
    @discardableResult
    public func answer(_ waiter: Waiter, _ write: @escaping (R, inout ResponseWriter) -> Void) -> Bool {
        guard waiter.loop == index, slots.indices.contains(Int(waiter.slot)),
            let owner = slots[Int(waiter.slot)], owner.generation == waiter.generation,
            let responder
        else { return false }
        return owner.answer(responder, write)
    }

    /// Another responder answers from now on, also requests that wait for an answer already.
    func use(_ responder: R) { self.responder = responder }

    // MARK: Scratch memory

    /// Lends the memory for requests and answers. The caller owns it until `putBack`; a second caller meanwhile gets new memory.
    func takeScratch() -> LoopScratch {
        guard let scratch = scratch.take() else { return LoopScratch(date: HTTPDate.format(wallClock().seconds)) }
        return scratch
    }

    /// Takes the memory back, or frees it if an unusually large request or answer has made it grow.
    func putBack(_ scratch: consuming LoopScratch) {
        if scratch.capacity <= LoopScratch.keptBytes { self.scratch = consume scratch }
    }

    // MARK: Turns

    /// The connections that have had their turn and hold more requests, in order.
    private var waitingTurns = CircularBuffer<any LoopSlot<R>>()

    /// Gives a connection another turn after those that wait already.
    func queueTurn(of owner: any LoopSlot<R>) {
        waitingTurns.append(owner)
        if waitingTurns.count == 1 { scheduleTurns() }
    }

    private func scheduleTurns() {
        // Not at once: NIO runs due tasks until none is left before it polls the sockets again.
        eventLoop.assumeIsolated().scheduleTask(in: .microseconds(25)) { self.giveTurns() }
    }

    private func giveTurns() {
        var now = Clock.now()
        let end = now + LoopScratch.turnTime
        // A connection that is queued again meanwhile has its turn next time.
        var left = waitingTurns.count
        while left > 0, now < end, let owner = waitingTurns.first {
            // Removed only afterwards: an empty queue would be scheduled again meanwhile.
            owner.drive(.turn(now: now))
            if !waitingTurns.isEmpty { waitingTurns.removeFirst() }
            left -= 1
            now = Clock.now()
        }
        if !waitingTurns.isEmpty { scheduleTurns() }
    }

    // MARK: Life

    func start() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        endTurn = { bound.value.endReading() }
        unsentNumber = unsent.join { bound.eventLoop.execute { bound.value.relieve() } }
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) { _ in
            bound.value.tick(now: Clock.now())
        }
    }

    /// Closes each idle connection when its grace is over, and each other one after its next answer.
    func drain(graceUntil: MonotonicInstant) {
        answerBatch()
        isDraining = true
        drainGrace = graceUntil
        let now = Clock.now()
        for owner in slots { owner?.drive(.drain(now: now)) }
    }

    /// Has the requests answered that wait for an answer.
    func endIsNear() {
        answerBatch()
        responder?.endIsNear(now: Clock.now())
    }

    /// Closes all connections at once and stops the ticker.
    func stop() {
        isDraining = true
        endIsNear()
        for owner in slots { owner?.drive(.close) }
        ticker?.cancel()
        ticker = nil
        // The closure retains the loop.
        endTurn = {}
        waitingTurns.removeAll()
        stopBatching()
    }

    func tick(now: MonotonicInstant) {
        answerBatch()
        updateDate()
        var oldest = MonotonicInstant.distantFuture
        for owner in slots {
            owner?.drive(.tick(now: now))
            if let since = owner?.unreadSince { oldest = min(oldest, since) }
        }
        unsent.note(oldest: oldest, ofLoop: unsentNumber)
        unsent.relieve()
        if let scratch = scratch.take(), scratch.capacity <= LoopScratch.restingBytes { putBack(scratch) }
        responder?.tick(now: now)
    }

    /// Closes connections, those whose clients have read nothing for longest first, until the limit of unsent bytes holds.
    private func relieve() {
        var holders = slots.compactMap { slot in slot.flatMap { owner in owner.unreadSince.map { (owner, $0) } } }
        holders.sort { $0.1 > $1.1 }
        while unsent.isOver, let (owner, _) = holders.popLast() {
            responder?.dropped(.unsentLimit, from: owner.peer.address)
            owner.drive(.close)
        }
        unsent.note(oldest: holders.last?.1 ?? .distantFuture, ofLoop: unsentNumber)
    }

    /// Closes the connection that has waited longest for its client's next request, so that another has room.
    ///
    /// - Returns: false if none of this loop waits.
    func closeLongestIdle(now: MonotonicInstant) -> Bool {
        let idle = slots.compactMap { slot in slot.flatMap { owner in owner.idleSince.map { (owner, $0) } } }
        // A new connection's first request is on its way.
        guard let (owner, since) = idle.min(by: { $0.1 < $1.1 }), now - since > Self.arrivalTime else { return false }
        responder?.dropped(.idle, from: owner.peer.address)
        owner.drive(.close)
        return true
    }

    /// In nanoseconds.
    private static var arrivalTime: Int64 { 1_000_000_000 }

    private func updateDate() {
        let second = wallClock().seconds
        guard second != lastWallSecond else { return }
        lastWallSecond = second
        guard var scratch = scratch.take() else { return }
        scratch.writer.setDate(HTTPDate.format(second))
        self.scratch = consume scratch
    }

    // MARK: Slots

    /// Gives a new connection or stream its slot.
    func add(_ owner: any LoopSlot<R>) -> Int32 {
        if let slot = freeSlots.popLast() {
            slots[Int(slot)] = owner
            return slot
        }
        slots.append(owner)
        return Int32(clamping: slots.count - 1)
    }

    func remove(slot: Int32) {
        guard slots.indices.contains(Int(slot)), slots[Int(slot)] != nil else { return }
        slots[Int(slot)] = nil
        freeSlots.append(slot)
    }

    /// A number that no other request of this loop has.
    func nextGeneration() -> UInt64 {
        lastGeneration &+= 1
        return lastGeneration
    }
}

/// The owner of a slot on an event loop: a connection, or a stream of an HTTP/2 connection.
protocol LoopSlot<R>: AnyObject {
    associatedtype R: Responder

    /// The client, or the proxy in front of it that tells of each request whose it is.
    var peer: Peer { get }

    /// The number of the next request to be answered; see `Waiter`.
    var generation: UInt64 { get }

    /// The time since which the client has read no byte of its unsent answers; `nil` without unsent answers.
    var unreadSince: MonotonicInstant? { get }

    /// Writes the answer to the request that waits for one, or queues it behind the running step.
    ///
    /// - Returns: false if none waits; `write` is not called then.
    func answer(_ responder: R, _ write: @escaping (R, inout ResponseWriter) -> Void) -> Bool

    /// The time since which the client has owed its next request; `nil` if it does not, or has begun one.
    var idleSince: MonotonicInstant? { get }

    func drive(_ event: LoopEvent)
}

extension LoopSlot {
    var idleSince: MonotonicInstant? { nil }
}

enum LoopEvent {
    /// Answer requests that were held back so that other connections get their turn.
    case turn(now: MonotonicInstant)
    /// Check the deadlines.
    case tick(now: MonotonicInstant)
    /// Begin to drain: an idle connection closes when its grace is over, any other after its next answer.
    case drain(now: MonotonicInstant)
    /// Close now: the server stops, or the unsent answers of all connections exceed the limit.
    case close
}
