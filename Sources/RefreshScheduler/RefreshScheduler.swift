internal import Glibc
public import Primitives

/// Decides which page is refreshed next, and when, so that of a quota's tokens as many answers as can be are up to date.
///
/// A page that is asked for λ times a second and changes Δ times a second is worth a refresh of λ/Δ · `Freshness.worth`(Δ τ) at the age
/// τ. Each quota group has a price, the worth of its pages at which tokens are spent of late; a page is due when its worth reaches the
/// price, which is an instant, so pages wait in a heap (`RefreshTiming`). A
/// token that is there is spent on the first of them, whether or not it is due: if it comes too soon, the price falls, and if too
/// late, it rises. Instants that were worked out at another price, or from fewer requests, would put the pages in a wrong order, so
/// each is worked out anew before its page is refreshed (`reconsider`), and a few others' with each refresh (`sweep`).
///
/// A page that is sure to be asked for when its time to live ends is due shortly before, so that not too many need a token at once.
/// Pages that were asked for after their time to live are *wanted*: their group's refreshes have a claim to tokens. A claim is for a
/// token, not for a page; of all pages that are wanted, and of those whose time to live is an estimate, the first has it.
///
/// Pages have numbers, small ones, given by the caller; a number may be given to another page later.
public struct RefreshScheduler: Sendable {
    /// The memory that is taken by a page, in bytes.
    public static let bytesPerPage = MemoryLayout<RefreshSlot>.stride + MemoryLayout<Int32>.stride

    /// The token that is there.
    public enum Token: Sendable {
        /// One that the wanted pages have a claim to.
        case claimed
        /// One that would be lost.
        case spare
    }

    /// A page that could be refreshed.
    public struct Candidate: Sendable, Equatable {
        public let page: Int
        /// When the page was fetched that is to be refreshed.
        public let fetchedAt: MonotonicInstant
        /// Not before.
        public let from: MonotonicInstant
        /// True if it was asked for after its time to live.
        public let isWanted: Bool
    }

    /// What a fetch has told of a page.
    public struct Observation: Sendable {
        /// When the page was fetched before.
        public var before: MonotonicInstant
        public var hasChanged: Bool
        /// Requests since, in all.
        public var requests: Int

        public init(before: MonotonicInstant, hasChanged: Bool, requests: Int) {
            self.before = before
            self.hasChanged = hasChanged
            self.requests = requests
        }
    }

    private struct Group {
        /// By the instants at which they are due: those that any token may go to, and those that only a spare one may.
        var open = RefreshHeap()
        var early = RefreshHeap()
        /// Those that are no candidates for a while, by its end.
        var resting = RefreshHeap()
        /// Wanted pages that do not rest.
        var wanted = 0
        /// The natural logarithm of the worth at which tokens are spent; nil before the first.
        var logPrice: Double?
    }

    private let minInterval: Int64
    private var groups: [Group]
    private var slots: [RefreshSlot] = []
    /// The page with which the next sweep begins.
    private var hand = 0

    /// The part of the distance that the price moves with each token.
    private static let priceStep = 0.01
    /// A page that has so many requests in its time to live will be wanted when that ends, and is due when so much of it is over.
    private static let (surelyWanted, mostOfTheTime) = (4.0, 0.875)
    /// A turn is not put off for longer than that by what a page is worth, in seconds.
    private static let longest = 86_400.0

    /// - Parameters:
    ///   - groups: how many quota groups, 65,536 at most.
    ///   - minInterval: no page is refreshed ahead sooner after its last fetch, in nanoseconds.
    public init(groups: Int, minInterval: Int64) {
        self.groups = (0..<min(max(0, groups), 1 << 16)).map { _ in Group() }
        self.minInterval = max(1, minInterval)
    }

    /// How many pages of a group wait.
    public func count(in group: Int) -> Int {
        guard groups.indices.contains(group) else { return 0 }
        return groups[group].open.pages.count + groups[group].early.pages.count + groups[group].resting.pages.count
    }

    /// True if a group has pages that were asked for after their time to live.
    public func hasWanted(in group: Int) -> Bool { groups.indices.contains(group) && groups[group].wanted > 0 }

    /// The worth of a refresh at which the group's tokens are spent: answers that are up to date for one more refresh. 0 before the first.
    public func price(of group: Int) -> Double {
        groups.indices.contains(group) ? groups[group].logPrice.map { exp($0) } ?? 0 : 0
    }

    /// How often a page changes, as far as is known; nil if nothing is known of the page that was fetched then.
    public func estimate(of page: Int, fetchedAt: MonotonicInstant) -> ChangeEstimate? {
        holds(page, fetchedAt) ? slots[page].change : nil
    }

    /// The requests for a page that were counted when its refresh was begun.
    public func counted(of page: Int, fetchedAt: MonotonicInstant) -> Int {
        holds(page, fetchedAt) ? Int(slots[page].counted) : 0
    }

    /// When a page is due, or its rest is over; nil if nothing is known of the page that was fetched then.
    func dueAt(_ page: Int, fetchedAt: MonotonicInstant) -> MonotonicInstant? {
        holds(page, fetchedAt) ? slots[page].dueAt : nil
    }

    private func holds(_ page: Int, _ fetchedAt: MonotonicInstant) -> Bool {
        slots.indices.contains(page) && slots[page].fetchedAt == fetchedAt && fetchedAt != .distantPast
    }

    // MARK: Fetches

    /// A page was fetched and is stored at a number.
    ///
    /// - Parameters:
    ///   - isAdaptive: true if its time to live is an estimate, so that its refreshes come in the order of their worth only.
    ///   - estimate: how often it changes, the observation included.
    ///   - observation: nil if the page was not there before.
    ///   - timeToLive: in nanoseconds; 0 if it makes no difference when it ends.
    ///   - lastChance: when it should be refreshed if it is worth no token before, because it will be of no use soon after.
    ///
    /// Complexity: O(log n).
    public mutating func stored(
        _ page: Int, group: Int, isAdaptive: Bool = false, fetchedAt: MonotonicInstant, estimate: ChangeEstimate,
        observation: Observation?, timeToLive: Int64 = 0, lastChance: MonotonicInstant
    ) {
        guard groups.indices.contains(group), page >= 0, page < Int(Int32.max) else { return }
        while slots.count <= page { slots.append(RefreshSlot()) }
        if let observation, holds(page, observation.before), slots[page].group == group {
            let age = Self.seconds(fetchedAt - observation.before)
            slots[page].requests.add(observation.requests + Int(slots[page].counted), over: age)
            // What was refreshed for another reason says nothing of what tokens are worth.
            let isForced = slots[page].flags.contains(.expiring) && fetchedAt >= slots[page].dueAt
            if !isForced, !slots[page].flags.contains(.trial) { learnPrice(of: page, age: age) }
        } else {
            slots[page].requests = RequestRate()
        }
        takeOut(page)
        slots[page].flags = isAdaptive ? .adaptive : []
        slots[page].fetchedAt = fetchedAt
        slots[page].change = estimate
        slots[page].counted = 0
        slots[page].group = UInt16(truncatingIfNeeded: group)
        let sixteenths = timeToLive / (1_000_000_000 / 16)
        slots[page].timeToLive = isAdaptive || sixteenths <= 0 ? 0 : UInt16(exactly: sixteenths) ?? 0
        slots[page].lastChance = Float(min(Self.seconds(lastChance - fetchedAt), 1e9))
        put(page, at: due(page, requests: slots[page].requests.perSecond))
    }

    /// When a page is due; notes whether that is for a trial, or because its time to live ends soon.
    private mutating func due(_ page: Int, requests: Double) -> MonotonicInstant {
        let slot = slots[page]
        let group = groups[Int(slot.group)]
        slots[page].flags.subtract([.trial, .expiring])
        guard let logPrice = group.logPrice else { return slot.fetchedAt + minInterval }
        let (age, isTrial) = RefreshTiming(price: exp(logPrice)).due(slot.change, requests: requests)
        var last = Double(max(slot.lastChance, 0))
        if isTrial, age < last { slots[page].flags.insert(.trial) }
        // It would be wanted soon: then it needs a token whatever it is worth, and others may need one too.
        let timeToLive = Double(slot.timeToLive) / 16
        if !slot.flags.contains(.wanted), timeToLive > 0, requests * timeToLive >= Self.surelyWanted {
            let soon = timeToLive * Self.mostOfTheTime
            if soon < min(age, last) { slots[page].flags.insert(.expiring) }
            last = min(last, soon)
        }
        // What is worth no token comes after all that is, the oldest first.
        return slot.fetchedAt + max(Int64(min(age, last, Self.longest) * 1e9), minInterval)
    }

    private mutating func learnPrice(of page: Int, age: Double) {
        let worth = RefreshTiming.worth(slots[page].change, requests: slots[page].requests.perSecond, age: age)
        guard worth > 1e-30 else { return }
        let group = Int(slots[page].group)
        guard let price = groups[group].logPrice else {
            groups[group].logPrice = log(worth)
            return
        }
        groups[group].logPrice = price + Self.priceStep * min(max(log(worth) - price, -1), 1)
    }

    // MARK: Choosing

    /// The next page of a group to be refreshed; nil if none waits.
    ///
    /// Complexity: O(log n), for each page whose rest is over.
    public mutating func next(in group: Int, for token: Token = .spare, now: MonotonicInstant) -> Candidate? {
        guard groups.indices.contains(group) else { return nil }
        while let page = groups[group].resting.first, slots[Int(page)].dueAt <= now {
            put(Int(page), at: due(Int(page), requests: slots[Int(page)].requests.perSecond))
        }
        var first = groups[group].open.first
        if token == .spare, let early = groups[group].early.first {
            if let page = first, slots[Int(page)].dueAt <= slots[Int(early)].dueAt {} else { first = early }
        }
        guard let page = first else { return nil }
        let slot = slots[Int(page)]
        return Candidate(
            page: Int(page), fetchedAt: slot.fetchedAt, from: slot.fetchedAt + minInterval,
            isWanted: slot.flags.contains(.wanted))
    }

    /// Works out anew when a page is due.
    ///
    /// - Parameter requests: since its fetch, or since a refresh of it was begun.
    ///
    /// Complexity: O(log n).
    public mutating func reconsider(_ page: Int, fetchedAt: MonotonicInstant, requests: Int, now: MonotonicInstant) {
        guard holds(page, fetchedAt), slots[page].heapPlace != RefreshSlot.nowhere,
            !slots[page].flags.contains(.resting)
        else { return }
        let age = Self.seconds(now - fetchedAt)
        let rate = slots[page].requests.perSecond(with: requests + Int(slots[page].counted), over: age)
        put(page, at: due(page, requests: rate))
    }

    /// The next pages in turn that wait, to be reconsidered.
    public mutating func sweep(_ count: Int) -> [(page: Int, fetchedAt: MonotonicInstant)] {
        var pages: [(page: Int, fetchedAt: MonotonicInstant)] = []
        for _ in 0..<min(count, slots.count) {
            hand = hand + 1 < slots.count ? hand + 1 : 0
            guard slots[hand].heapPlace != RefreshSlot.nowhere, !slots[hand].flags.contains(.resting) else { continue }
            pages.append((hand, slots[hand].fetchedAt))
        }
        return pages
    }

    /// When the rest of a page of a group is over; nil if none rests.
    public func nextRested(in group: Int) -> MonotonicInstant? {
        guard groups.indices.contains(group) else { return nil }
        return groups[group].resting.first.map { slots[Int($0)].dueAt }
    }

    // MARK: Steps

    /// A page was asked for after its time to live.
    ///
    /// - Returns: false if nothing is known of the page that was fetched then, or its refresh was begun: it is not refreshed because of this.
    public mutating func want(_ page: Int, fetchedAt: MonotonicInstant, now: MonotonicInstant) -> Bool {
        guard holds(page, fetchedAt), slots[page].heapPlace != RefreshSlot.nowhere else { return false }
        if slots[page].flags.contains(.resting), !slots[page].flags.contains(.unasked) {
            slots[page].flags.insert(.wanted)
        } else {
            takeOut(page)
            slots[page].flags.insert(.wanted)
            put(page, at: due(page, requests: slots[page].requests.perSecond))
        }
        return true
    }

    /// A page's refresh was begun. It is no candidate until it is stored anew, or put off.
    ///
    /// - Parameter requests: those that were counted since its fetch.
    public mutating func begun(_ candidate: Candidate, requests: Int) {
        guard holds(candidate.page, candidate.fetchedAt) else { return }
        slots[candidate.page].counted = UInt16(clamping: Int(slots[candidate.page].counted) + requests)
        takeOut(candidate.page)
        slots[candidate.page].flags.remove(.wanted)
    }

    /// Nobody has asked for a page since its fetch: it is looked at again when it is four times as old, or wanted.
    public mutating func isUnasked(_ candidate: Candidate, now: MonotonicInstant) {
        guard holds(candidate.page, candidate.fetchedAt) else { return }
        rest(candidate.page, until: now + max(minInterval, 3 * (now - candidate.fetchedAt)))
        slots[candidate.page].flags.insert(.unasked)
    }

    /// A page is not refreshed before an instant.
    public mutating func putOff(_ page: Int, fetchedAt: MonotonicInstant, until: MonotonicInstant) {
        guard holds(page, fetchedAt) else { return }
        rest(page, until: until)
    }

    /// A candidate is not there any more.
    public mutating func forget(_ candidate: Candidate) {
        guard holds(candidate.page, candidate.fetchedAt) else { return }
        takeOut(candidate.page)
        slots[candidate.page].fetchedAt = .distantPast
    }

    // MARK: Heaps

    /// Has a page wait for its turn.
    private mutating func put(_ page: Int, at instant: MonotonicInstant) {
        if slots[page].flags.contains(.resting) { takeOut(page) }
        slots[page].dueAt = instant
        let (group, number) = (Int(slots[page].group), Int32(truncatingIfNeeded: page))
        if slots[page].flags.contains(.wanted), slots[page].heapPlace == RefreshSlot.nowhere {
            groups[group].wanted += 1
        }
        if slots[page].flags.isDisjoint(with: [.wanted, .adaptive]) {
            groups[group].early.place(number, &slots)
        } else {
            groups[group].open.place(number, &slots)
        }
    }

    private mutating func rest(_ page: Int, until: MonotonicInstant) {
        takeOut(page)
        slots[page].flags.insert(.resting)
        slots[page].dueAt = until
        groups[Int(slots[page].group)].resting.place(Int32(truncatingIfNeeded: page), &slots)
    }

    /// Takes a page out of the heap that it is in.
    private mutating func takeOut(_ page: Int) {
        guard slots[page].heapPlace != RefreshSlot.nowhere else { return }
        let (group, number) = (Int(slots[page].group), Int32(truncatingIfNeeded: page))
        let flags = slots[page].flags
        slots[page].flags.subtract([.resting, .unasked])
        if flags.contains(.resting) {
            groups[group].resting.remove(number, &slots)
            return
        }
        if flags.contains(.wanted) { groups[group].wanted -= 1 }
        if flags.isDisjoint(with: [.wanted, .adaptive]) {
            groups[group].early.remove(number, &slots)
        } else {
            groups[group].open.remove(number, &slots)
        }
    }

    private static func seconds(_ span: Int64) -> Double { Double(span) / 1e9 }
}
