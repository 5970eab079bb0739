public import NIOCore
internal import Primitives

/// The state that the connections of one event loop share: the responder, the scratch memory for requests and answers, the batch of
/// reads, the ticker of deadlines. Used on the thread of that loop only.
public final class ServerLoop<R: Responder> {
    /// The index of this loop among the server's loops.
    public let index: Int32
    /// The event loop itself.
    public let eventLoop: any EventLoop
    let limits: HTTPLimits
    let limiter: ConnectionLimiter
    let unsent: UnsentLedger
    private var unsentNumber = 0
    private var scratch: LoopScratch?
    var batch = ReadBatch()
    /// Ends a turn of the event loop in which bytes have arrived.
    private var endTurn: @Sendable () -> Void = {}
    private(set) var isDraining = false
    /// The time until which an idle connection may still send a request while the loop drains.
    private(set) var drainGrace = Int64.max

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

    /// Writes the answer to a request whose disposition was `.later`.
    ///
    /// - Returns: false if the client has gone; `write` is not called then.
    @discardableResult
    public func answer(_ ticket: Ticket, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard ticket.loop == index, slots.indices.contains(Int(ticket.slot)),
            let owner = slots[Int(ticket.slot)], owner.generation == ticket.generation,
            let responder
        else { return false }
        return owner.answerNow(responder, write)
    }

    // MARK: Batches

    /// Adds a connection that has bytes to be read to the batch, which is answered before this turn of the event loop ends.
    func arrived(at member: any BatchMember) {
        switch batch.add(member) {
        case .answer: answer(member)
        case .expectEnd: eventLoop.execute(endTurn)
        case .wait: break
        case .answerAll: answerBatch()
        }
    }

    private func answer(_ member: any BatchMember) {
        var scratch = takeScratch()
        scratch.begin(now: batch.since)
        member.answerArrival(&scratch)
        member.sendAnswers(scratch)
        scratch.writer.clear()
        report(scratch, since: scratch.now)
        putBack(scratch)
    }

    /// Answers the batch. Every other event of its connections is handled after it.
    func answerBatch() {
        guard !batch.isEmpty else { return }
        let since = batch.since
        var members = batch.take()
        var scratch = takeScratch()
        scratch.begin(now: since)
        var sent = 0
        for index in members.indices {
            if index > 0 { scratch.goOn() }
            members[index].answerArrival(&scratch)
            guard
                index == members.count - 1 || scratch.writer.output.count > LoopScratch.flushThreshold
                    || scratch.now - since > ReadBatch.patience
            else { continue }
            while sent <= index {
                members[sent].sendAnswers(scratch)
                sent += 1
            }
            scratch.writer.clear()
        }
        batch.putBack(&members)
        report(scratch, since: since)
        putBack(scratch)
    }

    // MARK: Scratch memory

    /// Lends the memory for requests and answers. The caller owns it until `putBack`; a second caller meanwhile gets new memory.
    func takeScratch() -> LoopScratch {
        guard let scratch = scratch.take() else { return LoopScratch(date: HTTPDate.format(wallClock().seconds)) }
        return scratch
    }

    /// Reports the answers that were sent to requests which had arrived at `since`.
    func report(_ scratch: borrowing LoopScratch, since: Int64) {
        guard scratch.answered > 0 else { return batch.answered(at: scratch.now) }
        let now = Clock.now()
        responder?.answered(count: scratch.answered, elapsed: now - since)
        batch.answered(at: now)
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

    /// Gives turns, for as long as one turn may take.
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
        endTurn = {
            bound.value.batch.endTurn()
            bound.value.answerBatch()
        }
        unsentNumber = unsent.join { bound.eventLoop.execute { bound.value.relieve() } }
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) { _ in
            bound.value.tick(now: Clock.now())
        }
    }

    /// Closes each idle connection when its grace is over, and each other one after its next answer.
    func drain(graceUntil: Int64) {
        answerBatch()
        isDraining = true
        drainGrace = graceUntil
        let now = Clock.now()
        for owner in slots { owner?.drive(.drain(now: now)) }
    }

    /// Closes all connections at once and stops the ticker.
    func stop() {
        isDraining = true
        for owner in slots { owner?.drive(.close) }
        ticker?.cancel()
        ticker = nil
        // The closure retains the loop.
        endTurn = {}
        waitingTurns.removeAll()
        batch.stopWaiting()
    }

    func tick(now: Int64) {
        answerBatch()
        updateDate()
        var oldest = Int64.max
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
            responder?.dropped(.unsentLimit)
            owner.drive(.close)
        }
        unsent.note(oldest: holders.last?.1 ?? .max, ofLoop: unsentNumber)
    }

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
