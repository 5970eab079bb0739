public import NIOCore

/// What the connections of one event loop share: the responder, the output buffer, the memory that heads are read into, the
/// clock that wakes their deadlines. Used on that loop's thread only.
public final class ServerLoop<R: Responder> {
    /// The place of this loop among the server's loops.
    public let index: Int32
    /// The event loop itself.
    public let eventLoop: any EventLoop
    let limits: HTTPLimits
    let ledger: ConnectionLedger
    let unsent: UnsentLedger
    private var unsentNumber = 0
    private var bench: Workbench?
    var arrivals = Arrivals()
    /// Ends a turn of the event loop in which something has arrived.
    private var endTurn: @Sendable () -> Void = {}
    private(set) var isDraining = false
    /// Until when connections that are idle while the loop drains may still send a request.
    private(set) var drainGrace = Int64.max

    private var slots: [(any Exchange<R>)?] = []
    private var freeSlots: [Int32] = []
    private var lastGeneration: UInt64 = 0
    private var lastWallSecond: Int64 = -1
    private var ticker: RepeatedTask?
    private var responderStorage: R?
    private let wallClock: @Sendable () -> Int64

    init(
        index: Int32, eventLoop: any EventLoop, limits: HTTPLimits, ledger: ConnectionLedger,
        unsent: UnsentLedger, wallClock: @escaping @Sendable () -> Int64, makeResponder: (ServerLoop<R>) -> R
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.limits = limits
        self.ledger = ledger
        self.unsent = unsent
        self.wallClock = wallClock
        responderStorage = makeResponder(self)
    }

    /// The responder of this loop; nothing while it is being made.
    var responder: R? { responderStorage }

    /// Writes the answer to a request that was to be answered later.
    ///
    /// - Returns: false if its client has gone; `write` is not called then.
    @discardableResult
    public func answer(_ ticket: Ticket, _ write: (R, inout ResponseWriter) -> Void) -> Bool {
        guard ticket.loop == index, slots.indices.contains(Int(ticket.slot)),
            let exchange = slots[Int(ticket.slot)], exchange.generation == ticket.generation,
            let responder
        else { return false }
        return exchange.answerNow(responder, write)
    }

    // MARK: Arrivals

    /// Something has arrived at a connection, which is called to answer it before this turn of the event loop ends.
    func arrived(at recipient: any Recipient) {
        switch arrivals.add(recipient) {
        case .answer: answer(recipient)
        case .expectEnd: eventLoop.execute(endTurn)
        case .wait: break
        case .answerAll: answerArrivals()
        }
    }

    private func answer(_ recipient: any Recipient) {
        var bench = takeBench()
        bench.begin(now: arrivals.since)
        recipient.answerArrival(&bench)
        recipient.sendAnswers(bench)
        bench.writer.clear()
        report(bench, since: bench.now)
        putBack(bench)
    }

    /// Answers all that has arrived; whatever else happens to its connections comes after it.
    func answerArrivals() {
        guard !arrivals.isEmpty else { return }
        let since = arrivals.since
        var recipients = arrivals.take()
        var bench = takeBench()
        bench.begin(now: since)
        var sent = 0
        for index in recipients.indices {
            if index > 0 { bench.goOn() }
            recipients[index].answerArrival(&bench)
            guard
                index == recipients.count - 1 || bench.writer.output.count > Workbench.flushThreshold
                    || bench.now - since > Arrivals.patience
            else { continue }
            while sent <= index {
                recipients[sent].sendAnswers(bench)
                sent += 1
            }
            bench.writer.clear()
        }
        arrivals.putBack(&recipients)
        report(bench, since: since)
        putBack(bench)
    }

    // MARK: Workbench

    /// Lends the memory that requests are read into and answers are written into. It belongs to whoever asked for it until it is
    /// put back; should another ask meanwhile, it gets a new one.
    func takeBench() -> Workbench {
        guard let bench = bench.take() else { return Workbench(date: HTTPDate.format(wallClock())) }
        return bench
    }

    /// Tells the responder of the answers that were handed over, to requests that had arrived at `since`.
    func report(_ bench: borrowing Workbench, since: Int64) {
        guard bench.answered > 0 else { return arrivals.answered(at: bench.now) }
        let now = Clock.now()
        responder?.answered(count: bench.answered, elapsed: now - since)
        arrivals.answered(at: now)
    }

    /// Takes the memory back, and gives up what only an unusually large request or answer needed.
    func putBack(_ bench: consuming Workbench) {
        if bench.capacity <= Workbench.keptBytes { self.bench = consume bench }
    }

    // MARK: Turns

    /// Those that have had their turn and have more requests, in their order.
    private var waitingTurns = CircularBuffer<any Exchange<R>>()
    /// Sockets are looked at before turns go on: NIO runs what is due at once until nothing is left.
    private static var turnPause: TimeAmount { .microseconds(25) }

    /// Lets a connection go on after others have had their turn.
    func queueTurn(of exchange: any Exchange<R>) {
        waitingTurns.append(exchange)
        if waitingTurns.count == 1 { scheduleTurns() }
    }

    private func scheduleTurns() {
        eventLoop.assumeIsolated().scheduleTask(in: Self.turnPause) { self.giveTurns() }
    }

    /// Gives as many turns as are in the time of one.
    private func giveTurns() {
        var now = Clock.now()
        let end = now + Workbench.turnTime
        // Those that queue up again meanwhile come next time.
        var left = waitingTurns.count
        while left > 0, now < end, let exchange = waitingTurns.first {
            // Out of the queue only afterwards: it is not to be found empty, and scheduled, meanwhile.
            exchange.takeTurn(now: now)
            if !waitingTurns.isEmpty { waitingTurns.removeFirst() }
            left -= 1
            now = Clock.now()
        }
        if !waitingTurns.isEmpty { scheduleTurns() }
    }

    // MARK: Life

    /// Starts the ticker.
    func start() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        endTurn = {
            bound.value.arrivals.endTurn()
            bound.value.answerArrivals()
        }
        unsentNumber = unsent.join { bound.eventLoop.execute { bound.value.relieve() } }
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: .milliseconds(250), delay: .milliseconds(250)) { _ in
            bound.value.tick(now: Clock.now())
        }
    }

    /// Closes what is idle when its grace is over, and everything else after its next answer.
    func drain(graceUntil: Int64) {
        answerArrivals()
        isDraining = true
        drainGrace = graceUntil
        let now = Clock.now()
        for exchange in slots { exchange?.drain(now: now) }
    }

    /// Closes all connections at once and stops the ticker.
    func stop() {
        isDraining = true
        for exchange in slots { exchange?.closeNow() }
        ticker?.cancel()
        ticker = nil
        // It holds the loop.
        endTurn = {}
        waitingTurns.removeAll()
        arrivals.stopWaiting()
    }

    private func tick(now: Int64) {
        answerArrivals()
        updateDate()
        var oldest = Int64.max
        for exchange in slots {
            exchange?.checkDeadline(now: now)
            if let since = exchange?.unreadSince { oldest = min(oldest, since) }
        }
        unsent.note(oldest: oldest, ofLoop: unsentNumber)
        unsent.relieve()
        if let bench = bench.take(), bench.capacity <= Workbench.restingBytes { putBack(bench) }
        responder?.tick(now: now)
    }

    /// Closes connections whose clients have read nothing for longest until no more is held than may be.
    private func relieve() {
        var holders = slots.compactMap { slot in
            slot.flatMap { exchange in exchange.unreadSince.map { (exchange, $0) } }
        }
        holders.sort { $0.1 > $1.1 }
        while unsent.isOver, let (exchange, _) = holders.popLast() {
            responder?.dropped(.unsentLimit)
            exchange.relieve()
        }
        unsent.note(oldest: holders.last?.1 ?? .max, ofLoop: unsentNumber)
    }

    private func updateDate() {
        let second = wallClock()
        guard second != lastWallSecond else { return }
        lastWallSecond = second
        guard var bench = bench.take() else { return }
        bench.writer.setDate(HTTPDate.format(second))
        self.bench = consume bench
    }

    // MARK: Slots

    /// Gives a new connection, or request, its slot.
    func add(_ exchange: any Exchange<R>) -> Int32 {
        if let slot = freeSlots.popLast() {
            slots[Int(slot)] = exchange
            return slot
        }
        slots.append(exchange)
        return Int32(clamping: slots.count - 1)
    }

    func remove(slot: Int32) {
        guard slots.indices.contains(Int(slot)), slots[Int(slot)] != nil else { return }
        slots[Int(slot)] = nil
        freeSlots.append(slot)
    }

    /// A number that no request of this loop has had.
    func nextGeneration() -> UInt64 {
        lastGeneration &+= 1
        return lastGeneration
    }
}
