/// A slot in one of its uses; it fits into the pointer that `CURLOPT_PRIVATE` keeps.
struct CurlTicket: Equatable {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(word: UInt) {
        self.init(
            slot: UInt32(truncatingIfNeeded: word), generation: UInt32(truncatingIfNeeded: UInt64(word) >> 32))
    }

    var word: UInt { UInt(truncatingIfNeeded: UInt64(generation) << 32 | UInt64(slot)) }
}

/// The attempts for one URL and mode: how many of them libcurl may hold, and who waits, in order.
///
/// libcurl could let them wait too, but has one limit for all hosts, and (7.88) runs no timeout for a transfer that
/// waits.
struct CurlLane {
    /// How many requests share an HTTP/2 connection: libcurl's default for `CURLMOPT_MAX_CONCURRENT_STREAMS`.
    private static let streams = 100

    private var maxConnections = 1
    private var isMultiplexed = false
    private(set) var running = 0
    private var waiting: [CurlTicket] = []
    /// What is before it in `waiting` has been taken.
    private var head = 0

    /// Whether libcurl may be given one more.
    var hasRoom: Bool {
        running < (isMultiplexed ? maxConnections * Self.streams : maxConnections)
    }

    /// Whether a newcomer may go at once, without passing those who wait.
    var isOpen: Bool { hasRoom && waiting.isEmpty }

    /// Widens the lane; it never narrows.
    mutating func admit(connections: Int) {
        maxConnections = max(maxConnections, min(connections, 1 << 20))
    }

    /// The origin speaks HTTP/2: requests need no connection of their own.
    mutating func multiplex() {
        isMultiplexed = true
    }

    mutating func began() { running += 1 }
    mutating func ended() { running -= 1 }

    mutating func enqueue(_ ticket: CurlTicket) {
        waiting.append(ticket)
    }

    /// The longest waiting; it may have been cancelled meanwhile.
    mutating func dequeue() -> CurlTicket? {
        guard head < waiting.count else { return nil }
        let ticket = waiting[head]
        head += 1
        if head == waiting.count || head > 64 && head > waiting.count / 2 {
            waiting.removeFirst(head)
            head = 0
        }
        return ticket
    }
}
