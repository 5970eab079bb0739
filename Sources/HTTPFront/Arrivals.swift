/// A connection at which something has arrived.
protocol Recipient: AnyObject {
    /// Answers what has arrived, at the end of the bench's output.
    func answerArrival(_ bench: inout Workbench)

    /// Hands its answers, which are still in the bench's output, to the channel.
    func sendAnswers(_ bench: borrowing Workbench)
}

/// The connections at which something has arrived and waits to be looked at, so that several are answered together.
///
/// What the kernel does to read a request, what is done here to answer it, and what the kernel does to send the answer are each
/// about as long as the processor's instruction cache. Done in turn for each connection they drive one another out of it; done for
/// several at a time, one step after the other, they do not. (Packet processors work so, and call it vectors:
/// https://fd.io/docs/vpp/latest/aboutvpp/scalar-vs-vector-packet-processing.)
///
/// While some are answered their clients wait, and have nothing to send afterwards if all of them were. So half as many are answered
/// together as arrivals were in the last turn of the event loop, two at least: there is work on both sides then. Where little
/// arrives, each is answered at once, and no end of a turn is waited for.
struct Arrivals {
    /// What to do about an arrival.
    enum Step {
        /// Nothing else is to be expected: it is to be answered at once, and was not added.
        case answer
        /// It is the first in this turn of the event loop, at the end of which `endTurn` has to be called.
        case expectEnd
        /// It waits for others.
        case wait
        /// As many as are answered together are there.
        case answerAll
    }

    /// More than this makes nothing cheaper.
    static let most = 16
    /// Answers wait no longer for those of others than this, in nanoseconds, and then for one more.
    static let patience: Int64 = 250_000

    /// If nothing has arrived for so long, in nanoseconds, after the last ones were answered, little does: it is several times what a
    /// turn of the event loop takes.
    var pause: Int64 = 30_000

    private var recipients: [any Recipient] = []
    /// Memory for the next ones.
    private var spare: [any Recipient] = []
    /// When the first of them arrived, in monotonic nanoseconds.
    private(set) var since: Int64 = 0
    /// When the last ones were answered, so too.
    private var answeredAt: Int64 = 0
    /// How many there were in this turn of the event loop.
    private var countInTurn = 0
    /// As many are answered together; 1 while little arrives.
    private var limit = 1
    private var hasStopped = false

    var isEmpty: Bool { recipients.isEmpty }

    /// - Parameter now: the time; nobody asks for it while others wait.
    mutating func add(_ recipient: any Recipient, now: @autoclosure () -> Int64 = Clock.now()) -> Step {
        if recipients.isEmpty {
            since = now()
            if limit == 1 {
                if hasStopped || since - answeredAt >= pause { return .answer }
                limit = 2
            }
        }
        recipients.append(recipient)
        countInTurn += 1
        return countInTurn == 1 ? .expectEnd : recipients.count >= limit ? .answerAll : .wait
    }

    /// Notes the time at which some were answered.
    mutating func answered(at now: Int64) { answeredAt = now }

    /// Takes out all of them, whose memory `putBack` wants back.
    mutating func take() -> [any Recipient] {
        let taken = recipients
        recipients = spare
        spare = []
        return taken
    }

    /// Takes memory back, and lets go of who is in it.
    mutating func putBack(_ memory: inout [any Recipient]) {
        memory.removeAll(keepingCapacity: true)
        swap(&memory, &spare)
    }

    mutating func endTurn() {
        limit = countInTurn < 2 || hasStopped ? 1 : min(max(2, countInTurn / 2), Self.most)
        countInTurn = 0
    }

    /// From now on each is answered by itself, for nobody ends turns any more.
    mutating func stopWaiting() {
        hasStopped = true
        limit = 1
    }
}
