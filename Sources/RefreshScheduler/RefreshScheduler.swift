internal import Glibc
public import Primitives

/// Decides which page is refreshed next, and when, so that of a quota's spare tokens as many answers as can be are up to date.
///
/// A page that is asked for λ times a second and changes Δ times a second is worth a refresh of λ/Δ · `Freshness.worth`(Δ τ) at the age
/// τ. Each quota group has a price, the worth of its pages at which tokens are spent of late; a page is due when its worth reaches the
/// price, which is an instant, so pages wait in a heap. A token that is there is spent on the first of them, whether or not it is due:
/// if it comes too soon, the price falls, and if too late, it rises. A page of which too little is known to tell whether it is worth its
/// refreshes is due for a trial at the age that tells most.
///
/// Pages have numbers, small ones, given by the caller; a number may be given to another page later. State: 44 bytes for each number.
public struct RefreshScheduler: Sendable {
    /// The memory that is taken by a page, in bytes.
    public static let bytesPerPage = 48

    /// A page that could be refreshed.
    public struct Candidate: Sendable, Equatable {
        public let page: Int
        /// When the page was fetched that is to be refreshed.
        public let fetchedAt: MonotonicInstant
        /// Not before.
        public let from: MonotonicInstant
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
        /// By the instants at which they are due.
        var waiting = RefreshHeap()
        /// Those that are no candidates for a while, by its end.
        var resting = RefreshHeap()
        /// The natural logarithm of the worth at which tokens are spent; nil before the first.
        var logPrice: Double?
    }

    private let minInterval: Int64
    private var groups: [Group]
    private var slots: [RefreshSlot] = []

    /// The part of the distance that the price moves with each token.
    private static let priceStep = 0.01
    /// A page whose logarithm of the rate is less sure than that is tried.
    private static let trialDeviation = 0.5
    /// The expected number of changes after which a page is tried. An observation tells most after 1.6, the maximum of the information
    /// x²/(eˣ − 1); a little later it tells nearly as much, costs less, and is worth more by itself.
    private static let trialChanges = 2.5

    /// - Parameters:
    ///   - groups: how many quota groups, 16,384 at most.
    ///   - minInterval: no page is refreshed ahead sooner after its last fetch, in nanoseconds.
    public init(groups: Int, minInterval: Int64) {
        self.groups = (0..<min(max(0, groups), RefreshSlot.mostGroups)).map { _ in Group() }
        self.minInterval = max(1, minInterval)
    }

    /// How many pages of a group wait.
    public func count(in group: Int) -> Int {
        groups.indices.contains(group) ? groups[group].waiting.pages.count + groups[group].resting.pages.count : 0
    }

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

    private func holds(_ page: Int, _ fetchedAt: MonotonicInstant) -> Bool {
        slots.indices.contains(page) && slots[page].fetchedAt == fetchedAt && fetchedAt != .distantPast
    }

    // MARK: Fetches

    /// A page was fetched and is stored at a number.
    ///
    /// - Parameters:
    ///   - estimate: how often it changes, the observation included.
    ///   - observation: nil if the page was not there before.
    ///   - lastChance: when it should be refreshed if it is worth no token before, because it will be of no use soon after.
    ///
    /// Complexity: O(log n).
    public mutating func stored(
        _ page: Int, group: Int, fetchedAt: MonotonicInstant, estimate: ChangeEstimate, observation: Observation?,
        lastChance: MonotonicInstant
    ) {
        guard groups.indices.contains(group), page >= 0, page < Int(Int32.max) else { return }
        while slots.count <= page { slots.append(RefreshSlot()) }
        if let observation, holds(page, observation.before), slots[page].group == group {
            let age = Self.seconds(fetchedAt - observation.before)
            if !slots[page].isTrial { learnPrice(of: page, age: age) }
            slots[page].requests.add(observation.requests + Int(slots[page].counted), over: age)
        } else {
            takeOut(page)
            slots[page].requests = RequestRate()
        }
        slots[page].fetchedAt = fetchedAt
        slots[page].change = estimate
        slots[page].counted = 0
        slots[page].group = group
        let (due, isTrial) = due(page)
        slots[page].isTrial = isTrial && due < lastChance
        move(page, to: max(min(due, lastChance), fetchedAt + minInterval), rests: false)
    }

    /// When a page is due, and whether it is for a trial.
    private func due(_ page: Int) -> (at: MonotonicInstant, isTrial: Bool) {
        let (age, isTrial) = dueAge(of: page, slots[page].group)
        return (age < 1e8 ? slots[page].fetchedAt + Int64(age * 1e9) : .distantFuture, isTrial)
    }

    /// The instant by which a page's refresh has its place among others: nil if nothing is known of the page that was fetched then.
    ///
    /// It is worked out anew, because the price may have changed.
    public func turn(of page: Int, fetchedAt: MonotonicInstant) -> MonotonicInstant? {
        guard holds(page, fetchedAt) else { return nil }
        let age = dueAge(of: page, slots[page].group).age
        // What is worth no token comes after all that is, the oldest first.
        return fetchedAt + (age < 86_400 ? Int64(age * 1e9) : 86_400_000_000_000)
    }

    /// The age in seconds at which a page is due, and whether it is for a trial; infinite if it never is.
    private func dueAge(of page: Int, _ group: Int) -> (age: Double, isTrial: Bool) {
        let (change, requests) = (slots[page].change, slots[page].requests.perSecond)
        guard let logPrice = groups[group].logPrice else { return (0, false) }
        let rate = change.rate
        // The most that a refresh can be worth, in prices.
        let most = requests / rate / exp(logPrice)
        let age = Freshness.inverseWorth(1 / most) / rate
        let trial = Self.trialChanges / rate
        guard change.deviation > Self.trialDeviation, trial < age, most * exp(change.deviation) > 1 else {
            return (age, false)
        }
        return (trial, true)
    }

    private mutating func learnPrice(of page: Int, age: Double) {
        let rate = slots[page].change.rate
        let worth = slots[page].requests.perSecond / rate * Freshness.worth(rate * age)
        guard worth > 1e-30 else { return }
        let group = slots[page].group
        guard let price = groups[group].logPrice else {
            groups[group].logPrice = log(worth)
            return
        }
        groups[group].logPrice = price + Self.priceStep * min(max(log(worth) - price, -1), 1)
    }

    // MARK: Refreshing

    /// The next page of a group to be refreshed; nil if none waits.
    ///
    /// Complexity: O(log n), for each page whose rest is over.
    public mutating func next(in group: Int, now: MonotonicInstant) -> Candidate? {
        guard groups.indices.contains(group) else { return nil }
        while let page = groups[group].resting.first, slots[Int(page)].dueAt <= now {
            move(Int(page), to: due(Int(page)).at, rests: false)
        }
        guard let page = groups[group].waiting.first else { return nil }
        let slot = slots[Int(page)]
        return Candidate(page: Int(page), fetchedAt: slot.fetchedAt, from: slot.fetchedAt + minInterval)
    }

    /// When the rest of a page of a group is over; nil if none rests.
    public func nextRested(in group: Int) -> MonotonicInstant? {
        guard groups.indices.contains(group) else { return nil }
        return groups[group].resting.first.map { slots[Int($0)].dueAt }
    }

    /// A page's refresh was begun. It is no candidate until it is stored anew, or put off.
    ///
    /// - Parameter requests: those that were counted since its fetch.
    public mutating func begun(_ candidate: Candidate, requests: Int) {
        guard holds(candidate.page, candidate.fetchedAt) else { return }
        slots[candidate.page].counted = UInt16(clamping: Int(slots[candidate.page].counted) + requests)
        takeOut(candidate.page)
    }

    /// Nobody has asked for a page since its fetch: it is looked at again when it is four times as old.
    public mutating func isUnasked(_ candidate: Candidate, now: MonotonicInstant) {
        putOff(
            candidate.page, fetchedAt: candidate.fetchedAt,
            until: now + max(minInterval, 3 * (now - candidate.fetchedAt)))
    }

    /// A page is not refreshed before an instant.
    public mutating func putOff(_ page: Int, fetchedAt: MonotonicInstant, until: MonotonicInstant) {
        guard holds(page, fetchedAt) else { return }
        move(page, to: until, rests: true)
    }

    /// A candidate is not there any more.
    public mutating func forget(_ candidate: Candidate) {
        guard holds(candidate.page, candidate.fetchedAt) else { return }
        takeOut(candidate.page)
        slots[candidate.page].fetchedAt = .distantPast
    }

    private mutating func move(_ page: Int, to instant: MonotonicInstant, rests: Bool) {
        if slots[page].isResting != rests { takeOut(page) }
        slots[page].isResting = rests
        slots[page].dueAt = instant
        let (group, number) = (slots[page].group, Int32(truncatingIfNeeded: page))
        if rests { groups[group].resting.place(number, &slots) } else { groups[group].waiting.place(number, &slots) }
    }

    private mutating func takeOut(_ page: Int) {
        guard slots[page].heapPlace != RefreshSlot.nowhere else { return }
        let (group, number) = (slots[page].group, Int32(truncatingIfNeeded: page))
        if slots[page].isResting {
            groups[group].resting.remove(number, &slots)
        } else {
            groups[group].waiting.remove(number, &slots)
        }
    }

    private static func seconds(_ span: Int64) -> Double { Double(span) / 1e9 }
}
