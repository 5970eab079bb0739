internal import DequeModule
public import Primitives

/// The kind of a request for a token, which decides its place in the queue.
public enum Claim: Sendable, Equatable {
    /// A request of the caller with this number. Callers share the rate in proportion to their weights, 0.001 to 1000.
    case caller(UInt32, weight: Double)
    /// The refresh of a page that is served stale meanwhile, by the instant of its fetch. The oldest page comes first.
    case refresh(fetchedAt: MonotonicInstant)
}

/// A queue that is fair between callers: start-time fair queuing.
///
/// P. Goyal, H. Vin, H. Cheng: Start-Time Fair Queueing: A Scheduling Algorithm for Integrated Services Packet Switching
/// Networks, IEEE/ACM Transactions on Networking 5 (5), 1997, section 2. Each caller is a flow. A served request costs its
/// flow virtual time, divided by the flow's weight. The flow whose next request starts earliest in virtual time is served
/// next. A flow that returns after a pause starts at the current virtual time, so no credit accumulates. A flow that was
/// just served keeps its start, so that asking more often gains nothing.
///
/// Refreshes are one more flow, which gets half of all turns while callers wait too. A caller that reads ten thousand pages
/// cannot stop the refreshes, and refreshes cannot stop the callers.
struct FairQueue {
    /// A waiting request. `id` identifies the element, which the owner of the queue keeps.
    struct Entry {
        let id: UInt64
        let deadline: MonotonicInstant
    }

    private struct Flow {
        let caller: UInt32
        let cost: UInt64
        /// The virtual start time of the flow's next request.
        var start: UInt64
        var entries = Deque<Entry>()

        /// The virtual start time of the flow's request behind `count` others.
        func start(behind count: Int) -> UInt64 { start &+ UInt64(count) &* cost }
    }

    /// The cost of a request of weight 1 in virtual time.
    private static let unit: UInt64 = 1 << 20
    /// The maximum size of `finished`. A caller beyond it may get one turn more than its share.
    private static let maxRemembered = 4096

    /// The flows with waiting requests; seldom many.
    private var flows: [Flow] = []
    /// The virtual start time of the next request of each caller without waiting requests, if that is after `virtualTime`.
    private var finished: [UInt32: UInt64] = [:]
    /// The virtual start time of the last served request.
    private var virtualTime: UInt64 = 0
    private var refreshes: [(fetchedAt: MonotonicInstant, entry: Entry)] = []
    /// True if a refresh is served next when both kinds wait.
    private var isRefreshNext = false
    private(set) var callerCount = 0

    var refreshCount: Int { refreshes.count }
    var isEmpty: Bool { callerCount == 0 && refreshes.isEmpty }

    // MARK: Places

    /// The number of turns before the one that a new request would get.
    func turnsAhead(of claim: Claim) -> Int {
        switch claim {
        case .caller(let caller, let weight):
            turns(behindCallers: callersAhead(of: start(of: caller, weight)))
        case .refresh(let fetchedAt):
            turns(behindRefreshes: refreshes.partitioningIndex { $0.fetchedAt > fetchedAt })
        }
    }

    /// The number of turns before the one behind all callers, or behind all refreshes.
    func turnsBehindAll(_ claim: Claim) -> Int {
        if case .caller = claim { turns(behindCallers: callerCount) } else { turns(behindRefreshes: refreshes.count) }
    }

    private func turns(behindCallers count: Int) -> Int {
        count + min(refreshes.count, count + (isRefreshNext ? 1 : 0))
    }

    private func turns(behindRefreshes count: Int) -> Int {
        count + min(callerCount, count + (isRefreshNext ? 0 : 1))
    }

    /// The virtual start time that a new request of a caller would get.
    private func start(of caller: UInt32, _ weight: Double) -> UInt64 {
        // By index, here and below: a copy of a flow would retain its entries.
        for place in flows.indices where flows[place].caller == caller {
            return flows[place].start(behind: flows[place].entries.count)
        }
        return max(virtualTime, finished[caller] ?? 0)
    }

    /// The number of requests that would be served before a new one with this virtual start time.
    private func callersAhead(of start: UInt64) -> Int {
        var count = 0
        for place in flows.indices where flows[place].start <= start {
            let places = (start - flows[place].start) / flows[place].cost
            count += min(flows[place].entries.count, Int(clamping: places) + 1)
        }
        return count
    }

    private static func cost(_ weight: Double) -> UInt64 {
        // NaN fails the comparison, like 0.
        UInt64(Double(unit) / (weight > 0.001 ? min(weight, 1000) : 0.001))
    }

    // MARK: Adding and serving

    mutating func insert(_ entry: Entry, _ claim: Claim) {
        switch claim {
        case .caller(let caller, let weight):
            callerCount += 1
            if let place = flows.firstIndex(where: { $0.caller == caller }) {
                flows[place].entries.append(entry)
                return
            }
            let start = start(of: caller, weight)
            finished[caller] = nil
            flows.append(Flow(caller: caller, cost: Self.cost(weight), start: start, entries: [entry]))
        case .refresh(let fetchedAt):
            refreshes.insert((fetchedAt, entry), at: refreshes.partitioningIndex { $0.fetchedAt > fetchedAt })
        }
    }

    var first: Entry? {
        if takesRefresh { return refreshes.first?.entry }
        return nextFlow.flatMap { flows[$0].entries.first }
    }

    private var takesRefresh: Bool { !refreshes.isEmpty && (isRefreshNext || callerCount == 0) }

    /// The flow whose next request starts earliest; of several, the one that has waited the longest.
    private var nextFlow: Int? {
        var best: Int?
        for place in flows.indices where best.map({ flows[place].start < flows[$0].start }) ?? true { best = place }
        return best
    }

    /// Removes the entry that is served next, and charges its flow.
    mutating func popFirst() -> Entry? {
        if takesRefresh {
            isRefreshNext = false
            return refreshes.removeFirst().entry
        }
        guard let place = nextFlow else { return nil }
        isRefreshNext = true
        callerCount -= 1
        var flow = flows.remove(at: place)
        virtualTime = max(virtualTime, flow.start)
        flow.start &+= flow.cost
        let entry = flow.entries.popFirst()
        // Appended behind flows with the same start, which have waited longer.
        if flow.entries.isEmpty { remember(flow.caller, start: flow.start) } else { flows.append(flow) }
        return entry
    }

    /// Charges a caller for a request that was served without waiting.
    mutating func serve(_ claim: Claim) {
        guard case .caller(let caller, let weight) = claim else { return }
        let start = start(of: caller, weight)
        virtualTime = max(virtualTime, start)
        remember(caller, start: start &+ Self.cost(weight))
    }

    /// Remembers the next virtual start time of a caller without waiting requests.
    private mutating func remember(_ caller: UInt32, start: UInt64) {
        guard start > virtualTime else {
            finished[caller] = nil
            return
        }
        finished[caller] = start
        guard finished.count > Self.maxRemembered else { return }
        finished = finished.filter { $0.value > virtualTime }
        if finished.count > Self.maxRemembered, let least = finished.min(by: { $0.value < $1.value }) {
            finished[least.key] = nil
        }
    }

    // MARK: Removing

    /// Removes the entry with this id, `nil` if it does not wait.
    mutating func remove(id: UInt64) -> Entry? {
        if let place = refreshes.firstIndex(where: { $0.entry.id == id }) { return refreshes.remove(at: place).entry }
        for place in flows.indices {
            guard let index = flows[place].entries.firstIndex(where: { $0.id == id }) else { continue }
            let entry = flows[place].entries.remove(at: index)
            callerCount -= 1
            if flows[place].entries.isEmpty {
                let flow = flows.remove(at: place)
                remember(flow.caller, start: flow.start)
            }
            return entry
        }
        return nil
    }

    /// Moves a request to the flow of a caller that joined it, if its turn comes sooner there.
    ///
    /// - Parameter latest: the caller's own deadline.
    /// - Returns: true if the request was moved.
    mutating func improve(id: UInt64, _ claim: Claim, latest: MonotonicInstant) -> Bool {
        guard let before = turnsAhead(ofID: id), turnsAhead(of: claim) < before, let entry = remove(id: id) else {
            return false
        }
        insert(Entry(id: id, deadline: min(entry.deadline, latest)), claim)
        return true
    }

    /// The number of turns before that of a waiting request.
    private func turnsAhead(ofID id: UInt64) -> Int? {
        if let place = refreshes.firstIndex(where: { $0.entry.id == id }) { return turns(behindRefreshes: place) }
        return callersInOrder().firstIndex { $0.id == id }.map { turns(behindCallers: $0) }
    }

    /// Removes the callers' entries whose turn would come after their deadline.
    ///
    /// - Parameter turn: the instant of the turn behind a number of others.
    mutating func removeLate(turn: (Int) -> MonotonicInstant) -> [Entry] {
        var late: [Entry] = []
        var kept = 0
        for entry in callersInOrder() {
            if turn(turns(behindCallers: kept)) > entry.deadline { late.append(entry) } else { kept += 1 }
        }
        for entry in late { _ = remove(id: entry.id) }
        return late
    }

    /// Removes the entry that would be served last of its kind: of the callers if `claim` is a caller, else of the refreshes.
    mutating func removeLast(_ claim: Claim) -> Entry? {
        if case .refresh = claim { return refreshes.popLast()?.entry }
        return callersInOrder().last.flatMap { remove(id: $0.id) }
    }

    /// Removes the entries whose deadline has passed.
    mutating func removeExpired(now: MonotonicInstant) -> [Entry] {
        guard let earliest = earliestDeadline, earliest < now else { return [] }
        let expired = all.filter { $0.deadline < now }
        for entry in expired { _ = remove(id: entry.id) }
        return expired
    }

    /// All entries, in no order.
    private var all: [Entry] { flows.flatMap(\.entries) + refreshes.map(\.entry) }

    /// The earliest deadline of all entries, `nil` if the queue is empty.
    var earliestDeadline: MonotonicInstant? {
        var earliest: MonotonicInstant?
        for place in flows.indices {
            for index in flows[place].entries.indices {
                earliest = min(earliest ?? .distantFuture, flows[place].entries[index].deadline)
            }
        }
        for refresh in refreshes { earliest = min(earliest ?? .distantFuture, refresh.entry.deadline) }
        return earliest
    }

    /// The callers' entries in the order in which they would be served.
    private func callersInOrder() -> [Entry] {
        var places: [(start: UInt64, flow: Int, index: Int)] = []
        for (number, flow) in flows.enumerated() {
            for index in flow.entries.indices { places.append((flow.start(behind: index), number, index)) }
        }
        places.sort { ($0.start, $0.flow, $0.index) < ($1.start, $1.flow, $1.index) }
        return places.map { flows[$0.flow].entries[$0.index] }
    }
}

extension Array {
    /// The first index whose element meets a condition that all later elements meet too; `count` if none does.
    fileprivate func partitioningIndex(where belongsBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
