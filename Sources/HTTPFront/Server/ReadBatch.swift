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
        /// It waits for more reads.
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
    /// Memory for the next batch.
    private var spare: [any BatchMember] = []
    /// When the first of the batch was read, in monotonic nanoseconds.
    private(set) var since: Int64 = 0
    /// When the last batch was answered, in monotonic nanoseconds.
    private var answeredAt: Int64 = 0
    /// The reads in this turn of the event loop.
    private var countInTurn = 0
    /// The size of a batch; 1 while reads are rare.
    private var limit = 1
    private var hasStopped = false

    var isEmpty: Bool { members.isEmpty }

    /// - Parameter now: the time; evaluated only for the first of a batch.
    mutating func add(_ member: any BatchMember, now: @autoclosure () -> Int64 = Clock.now()) -> Step {
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

    mutating func answered(at now: Int64) { answeredAt = now }

    /// Removes and returns the whole batch. The caller gives its memory back with `putBack`.
    mutating func take() -> [any BatchMember] {
        let taken = members
        members = spare
        spare = []
        return taken
    }

    /// Takes the memory of a batch back, and releases the connections in it.
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
