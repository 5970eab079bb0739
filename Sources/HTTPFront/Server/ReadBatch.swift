internal import NIOCore
internal import Primitives

/// A connection that has bytes to be read.
protocol BatchMember: AnyObject {
    /// Answers the requests in the bytes, at the end of the scratch memory's output. The step of the connection ends in `sendAnswers`.
    func answerArrival(_ scratch: inout LoopScratch)

    /// Sends its answers, which are still in the scratch memory's output, and ends the step.
    func sendAnswers(_ scratch: borrowing LoopScratch)
}

/// The connections that have bytes to be read, collected so that several are answered together.
///
/// The kernel's code to read a request, the gateway's code to answer it, and the kernel's code to send the answer each fill about the
/// processor's instruction cache. Run in turn for each connection they evict one another; run for several connections at a time, one
/// step after the other, they do not. Packet processors call such a batch a vector:
/// https://fd.io/docs/vpp/latest/aboutvpp/scalar-vs-vector-packet-processing.
///
/// Clients wait while their batch is answered, and a batch of all clients leaves the gateway without work afterwards. So the size is half
/// the number of reads in the last turn of the event loop, and two at least. When reads are rare each is answered at once.
struct ReadBatch {
    /// The loop's next step after a read.
    enum Step {
        /// Answer it at once: no other read is expected, and it was not added.
        case answer
        /// It is the first in this turn of the event loop: call `endTurn` at the end of the turn.
        case expectEnd
        case wait
        /// The batch is full: answer it.
        case answerAll
    }

    /// A larger batch saves no more.
    static let most = 16
    /// After so many nanoseconds the answers of a batch are sent before the rest of it is answered.
    static let patience: Int64 = 250_000

    /// Reads are rare if none has come for so many nanoseconds since the last answers: several times the length of a turn of the event
    /// loop.
    var pause: Int64 = 30_000

    private var members: [any BatchMember] = []
    private var spare: [any BatchMember] = []
    /// When the first of the batch was read.
    private(set) var since = MonotonicInstant.distantPast
    /// When the last batch was answered.
    private var answeredAt = MonotonicInstant.distantPast
    /// The reads in this turn of the event loop.
    private var countInTurn = 0
    /// The size of a batch; 1 while reads are rare.
    private var limit = 1
    private var hasStopped = false

    var isEmpty: Bool { members.isEmpty }

    /// - Parameter now: the time; evaluated only for the first of a batch.
    mutating func add(_ member: any BatchMember, now: @autoclosure () -> MonotonicInstant = Clock.now()) -> Step {
        if members.isEmpty {
            since = now()
            if limit == 1 {
                if hasStopped || since - answeredAt >= pause { return .answer }
                limit = 2
            }
        }
        members.append(member)
        countInTurn += 1
        return countInTurn == 1 ? .expectEnd : members.count >= limit ? .answerAll : .wait
    }

    mutating func answered(at now: MonotonicInstant) { answeredAt = now }

    /// Removes and returns the whole batch. The caller gives its memory back with `putBack`.
    mutating func take() -> [any BatchMember] {
        let taken = members
        members = spare
        spare = []
        return taken
    }

    mutating func putBack(_ memory: inout [any BatchMember]) {
        memory.removeAll(keepingCapacity: true)
        swap(&memory, &spare)
    }

    mutating func endTurn() {
        limit = countInTurn < 2 || hasStopped ? 1 : min(max(2, countInTurn / 2), Self.most)
        countInTurn = 0
    }

    /// Answers each read by itself from now on, because turns no longer end.
    mutating func stopWaiting() {
        hasStopped = true
        limit = 1
    }
}

/// The batch of an event loop; only this file changes it.
extension ServerLoop {
    /// A turn of the event loop ends in which bytes have arrived.
    func endReading() {
        batch.endTurn()
        answerBatch()
    }

    /// Answers each read by itself from now on, because turns no longer end.
    func stopBatching() { batch.stopWaiting() }

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

    /// Reports the answers that were sent to requests which had arrived at `since`.
    func report(_ scratch: borrowing LoopScratch, since: MonotonicInstant) {
        guard scratch.answered > 0 else { return batch.answered(at: scratch.now) }
        let now = Clock.now()
        responder?.answered(count: scratch.answered, elapsed: now - since)
        batch.answered(at: now)
    }
}
