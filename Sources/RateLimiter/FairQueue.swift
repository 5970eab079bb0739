internal import DequeModule

/// Who waits for a token.
public enum Claim: Sendable, Equatable {
    /// A caller, by its number, which shares with the others in proportion to the weights.
    case caller(UInt32, weight: Double)
    /// The refresh of a page that is served stale meanwhile, by the instant of its fetch: the oldest comes first.
    case refresh(fetchedAt: Int64)
}

/// A queue that is fair between callers: start-time fair queuing.
///
/// P. Goyal, H. Vin, H. Cheng: Start-Time Fair Queueing: A Scheduling Algorithm for Integrated Services Packet Switching
/// Networks, IEEE/ACM Transactions on Networking 5 (5), 1997, section 2. Each caller is a flow. What it is served costs it
/// virtual time, the less the greater its weight; the flow whose next request starts earliest in virtual time is served
/// next. A flow that comes back after a pause starts now and not in the past, so nobody saves up; one that was served a
/// moment ago keeps its place, so nobody gains by asking more often.
///
/// Refreshes are one more flow with half of all turns while both wait: a caller who walks through ten thousand pages
/// cannot keep those that others read from being refreshed, nor the other way round.
struct FairQueue {
    /// A request that waits, as a number: whatever it is for is kept elsewhere.
    struct Entry {
        let id: UInt64
        let deadline: Int64
    }

    private struct Flow {
        let caller: UInt32
        let cost: UInt64
        /// Where its next request starts in virtual time.
        var start: UInt64
        var entries = Deque<Entry>()

        /// Where the request behind `count` others of the flow starts.
        func start(behind count: Int) -> UInt64 { start &+ UInt64(count) &* cost }
    }

    /// What a request of weight 1 costs in virtual time.
    private static let unit: UInt64 = 1 << 20
    /// How many callers are remembered who wait for nothing and were served more than others. Were there more, some could
    /// have one turn more than their part.
    private static let mostRemembered = 4096

    /// The flows that wait; seldom many.
    private var flows: [Flow] = []
    /// Where the next request of a caller starts that waits for nothing, if that is ahead of `virtualTime`.
    private var finished: [UInt32: UInt64] = [:]
    /// The start of what was served last.
    private var virtualTime: UInt64 = 0
    private var refreshes: [(fetchedAt: Int64, entry: Entry)] = []
    /// Whether the turn is the refreshes', if both wait.
    private var isRefreshNext = false
    private(set) var callerCount = 0

    var refreshCount: Int { refreshes.count }
    var isEmpty: Bool { callerCount == 0 && refreshes.isEmpty }

    // MARK: Places

    /// How many turns come before the one that a newcomer would get.
    func turnsAhead(of claim: Claim) -> Int {
        switch claim {
        case .caller(let caller, let weight):
            turns(behindCallers: callersAhead(of: start(of: caller, weight)))
        case .refresh(let fetchedAt):
            turns(behindRefreshes: refreshes.partitioningIndex { $0.fetchedAt > fetchedAt })
        }
    }

    /// How many turns come before the one behind all callers, or behind all refreshes.
    func turnsBehindAll(_ claim: Claim) -> Int {
        if case .caller = claim { turns(behindCallers: callerCount) } else { turns(behindRefreshes: refreshes.count) }
    }

    private func turns(behindCallers count: Int) -> Int {
        count + min(refreshes.count, count + (isRefreshNext ? 1 : 0))
    }

    private func turns(behindRefreshes count: Int) -> Int {
        count + min(callerCount, count + (isRefreshNext ? 0 : 1))
    }

    /// Where the next request of a caller would start.
    private func start(of caller: UInt32, _ weight: Double) -> UInt64 {
        // By index, here and below: a copy of a flow would count one more user of its entries.
        for place in flows.indices where flows[place].caller == caller {
            return flows[place].start(behind: flows[place].entries.count)
        }
        return max(virtualTime, finished[caller] ?? 0)
    }

    /// The requests that would be served before one that came now and started there.
    private func callersAhead(of start: UInt64) -> Int {
        var count = 0
        for place in flows.indices where flows[place].start <= start {
            let places = (start - flows[place].start) / flows[place].cost
            count += min(flows[place].entries.count, Int(clamping: places) + 1)
        }
        return count
    }

    private static func cost(_ weight: Double) -> UInt64 {
        // NaN fails the comparison, as zero does.
        UInt64(Double(unit) / (weight > 0.001 ? min(weight, 1000) : 0.001))
    }

    // MARK: Coming and going

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

    /// What is to be served next.
    var first: Entry? {
        if takesRefresh { return refreshes.first?.entry }
        return nextFlow.flatMap { flows[$0].entries.first }
    }

    private var takesRefresh: Bool { !refreshes.isEmpty && (isRefreshNext || callerCount == 0) }

    /// The flow whose next request starts earliest; of several, the one that has waited longest.
    private var nextFlow: Int? {
        var best: Int?
        for place in flows.indices where best.map({ flows[place].start < flows[$0].start }) ?? true { best = place }
        return best
    }

    /// Serves what is next.
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
        // Behind the others of the same start: they have waited longer.
        if flow.entries.isEmpty { remember(flow.caller, start: flow.start) } else { flows.append(flow) }
        return entry
    }

    /// Notes that a caller was served without having waited.
    mutating func serve(_ claim: Claim) {
        guard case .caller(let caller, let weight) = claim else { return }
        let start = start(of: caller, weight)
        virtualTime = max(virtualTime, start)
        remember(caller, start: start &+ Self.cost(weight))
    }

    /// Keeps where the next request of a caller starts that waits for nothing any more.
    private mutating func remember(_ caller: UInt32, start: UInt64) {
        guard start > virtualTime else {
            finished[caller] = nil
            return
        }
        finished[caller] = start
        guard finished.count > Self.mostRemembered else { return }
        finished = finished.filter { $0.value > virtualTime }
        if finished.count > Self.mostRemembered, let least = finished.min(by: { $0.value < $1.value }) {
            finished[least.key] = nil
        }
    }

    // MARK: Taking out

    /// Takes out a request.
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

    /// A caller has joined a request: it goes on in that caller's name if that brings it sooner.
    ///
    /// - Returns: whether it does.
    ///
    /// - Parameter latest: how long the caller may wait.
    mutating func improve(id: UInt64, _ claim: Claim, latest: Int64) -> Bool {
        guard let before = turnsAhead(ofID: id), turnsAhead(of: claim) < before, let entry = remove(id: id) else {
            return false
        }
        insert(Entry(id: id, deadline: min(entry.deadline, latest)), claim)
        return true
    }

    /// How many turns come before that of a request that waits.
    private func turnsAhead(ofID id: UInt64) -> Int? {
        if let place = refreshes.firstIndex(where: { $0.entry.id == id }) { return turns(behindRefreshes: place) }
        return callersInOrder().firstIndex { $0.id == id }.map { turns(behindCallers: $0) }
    }

    /// Takes out all whose turn would come too late.
    ///
    /// - Parameter turn: when the turn behind so many others comes.
    mutating func removeLate(turn: (Int) -> Int64) -> [Entry] {
        var late: [Entry] = []
        var kept = 0
        for entry in callersInOrder() {
            if turn(turns(behindCallers: kept)) > entry.deadline { late.append(entry) } else { kept += 1 }
        }
        for entry in late { _ = remove(id: entry.id) }
        return late
    }

    /// Takes out the one that would be served last: of the callers if `claim` is one, else of the refreshes.
    mutating func removeLast(_ claim: Claim) -> Entry? {
        if case .refresh = claim { return refreshes.popLast()?.entry }
        return callersInOrder().last.flatMap { remove(id: $0.id) }
    }

    /// Takes out all whose deadline has passed.
    mutating func removeExpired(now: Int64) -> [Entry] {
        guard let earliest = earliestDeadline, earliest < now else { return [] }
        let expired = all.filter { $0.deadline < now }
        for entry in expired { _ = remove(id: entry.id) }
        return expired
    }

    /// Everything that waits, in no order.
    private var all: [Entry] { flows.flatMap(\.entries) + refreshes.map(\.entry) }

    /// The earliest deadline of all.
    var earliestDeadline: Int64? {
        var earliest: Int64?
        for place in flows.indices {
            for index in flows[place].entries.indices {
                earliest = min(earliest ?? .max, flows[place].entries[index].deadline)
            }
        }
        for refresh in refreshes { earliest = min(earliest ?? .max, refresh.entry.deadline) }
        return earliest
    }

    /// What callers wait for, in the order in which it would be served.
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
    /// The first place whose element has a property that all behind it have too.
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
