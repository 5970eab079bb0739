internal import Locking
public import Primitives
public import RateLimiter
internal import PageCache

/// The limits that attempts pass before they are sent: the buckets of domains, and the buckets and queues of quota groups.
///
/// This type is their one owner. Attempts that lack a token wait here; the upstream's thread releases the queues. Calls may come
/// from any thread; time is an argument.
public final class FetchQueue: Sendable {
    /// The outcome for an attempt that asked for its tokens.
    public enum Admission: ~Copyable {
        /// It may be sent now.
        case granted(GrantedAttempt)
        /// It waits for the token of its quota group. `until` is an estimate; callers who were served less may overtake.
        case queued(until: MonotonicInstant)
        /// A limit does not let it go in time; not before `until`.
        case refused(EndedAttempt, ThrottleScope, until: MonotonicInstant)

        var isQueued: Bool {
            switch self {
            case .queued: true
            default: false
            }
        }
    }

    /// Attempts that have left the queues together.
    public struct Release: ~Copyable {
        /// Those that have their token.
        public var granted: GrantedAttempts
        /// Those whose turn would come too late.
        public var expired: ExpiredAttempts
        /// When to release again; nil if nothing waits.
        public let next: MonotonicInstant?
    }

    /// The rate, tokens and queue of a quota group.
    public struct Figures: Sendable {
        /// Requests a second: what is used now, and what is configured.
        public let rate: Double
        public let fullRate: Double
        /// The tokens in the bucket, a fraction of the next one included.
        public let tokens: Double
        /// Attempts in the queue.
        public let waiting: Int
    }

    /// As they were at the start, for what no reload changes.
    private let services: [Service]
    /// By service and the catalog's order; services of one scope share theirs.
    let groups: [[QuotaGroup<AttemptRecord>]]
    /// Each group once, and where those of a service begin that owns its groups.
    private let owned: [QuotaGroup<AttemptRecord>]
    private let starts: [Int]
    /// The settings that a reload changes.
    private struct Setup {
        var services: [Service]
        var domainLimit: Limit?
        var domains: KeyedBuckets?
    }

    private let setup: Locked<Setup>
    private let shadows: ShadowCounts
    /// Grants the slots of all groups; nil if they have buckets of their own.
    private let supply: (any SlotSupply)?

    init(_ services: [Service], domainLimit: Limit?, shadows: ShadowCounts, supply: (any SlotSupply)? = nil) {
        self.services = services
        self.shadows = shadows
        setup = Locked(
            Setup(
                services: services, domainLimit: domainLimit, domains: domainLimit.map { KeyedBuckets($0.quota) }))
        var groups: [[QuotaGroup<AttemptRecord>]] = []
        var owned: [QuotaGroup<AttemptRecord>] = []
        var starts: [Int] = []
        for service in services {
            let isOwner = !groups.indices.contains(service.quotaOwner)
            starts.append(owned.count)
            defer { if isOwner { owned += groups[groups.count - 1] } }
            groups.append(isOwner ? Self.groups(of: service) : groups[service.quotaOwner])
        }
        self.groups = groups
        self.supply = supply
        (self.owned, self.starts) = (owned, starts)
    }

    private static func groups(of service: Service) -> [QuotaGroup<AttemptRecord>] {
        let settings = service.settings
        return settings.quotas.enumerated().map { place, quota in
            QuotaGroup(quota, maxWait: settings.maxWait(of: place), maxDepth: settings.maxDepth, now: service.start)
        }
    }

    // MARK: Reload

    /// Other settings take effect. Tokens, debts and what waits stay. The queues are to be released next.
    ///
    /// - Parameter services: the same services, in the same order.
    /// - Returns: the groups whose source of tokens may have to be another: their quota is, or they were in shadow mode before.
    public func change(_ services: [Service], domainLimit: Limit?, now: MonotonicInstant) -> [QuotaGroupID] {
        let before = Set(ownGroups.map(\.id))
        let domains = setup.withLock { setup in
            setup.services = services
            setup.domainLimit = domainLimit
            guard let domainLimit else {
                setup.domains = nil
                return KeyedBuckets?.none
            }
            if setup.domains == nil { setup.domains = KeyedBuckets(domainLimit.quota) }
            return setup.domains
        }
        if let domains, let domainLimit { domains.change(to: domainLimit.quota, now: now) }
        var changed: [QuotaGroupID] = []
        for service in services where service.quotaOwner == service.index {
            let settings = service.settings
            for (place, group) in groups[service.index].enumerated() where settings.quotas.indices.contains(place) {
                let differs = group.change(
                    to: settings.quotas[place], maxWait: settings.maxWait(of: place), maxDepth: settings.maxDepth,
                    now: now)
                if differs { changed.append(QuotaGroupID(service: service.index, group: place)) }
            }
        }
        return changed + ownGroups.map(\.id).filter { !before.contains($0) && !changed.contains($0) }
    }

    private func group(of fetch: Fetch) -> QuotaGroup<AttemptRecord> { groups[fetch.service][fetch.quotaGroup] }

    // MARK: Admission

    /// Takes an attempt's tokens: its domain's, unless it holds that, then its quota group's. Narrow first; when the group refuses,
    /// the domain's token goes back.
    public func admit(_ attempt: consuming WaitingAttempt, now: MonotonicInstant) -> Admission {
        var record = attempt.record
        if !record.fetch.domain.isEmpty, !record.holdsDomainToken, let (domains, limit) = domainBuckets {
            switch domains.take(domainKey(record.fetch), now: now) {
            case .admitted: record.holdsDomainToken = true
            case .denied(let until):
                guard limit.isShadow else { return refused(record, .domain, until: until) }
                shadows.count(.domain)
            }
        }
        let fetch = record.fetch
        record.askedAt = record.askedAt ?? now
        switch group(of: fetch).request(record, as: fetch.claim, deadline: fetch.deadline, now: now) {
        case .granted:
            record.granted(now: now)
            return .granted(GrantedAttempt(record: record))
        case .queued(let until):
            askForSlots(service: fetch.service, group: fetch.quotaGroup, now: now)
            return .queued(until: until)
        case .refused(let until):
            guard isShadow(fetch) else { return refused(record, .quota, until: until) }
            shadows.count(.quota)
            return .granted(GrantedAttempt(record: record))
        }
    }

    /// Takes back the tokens of an attempt that was not sent. In shadow mode none is taken back, for it may have gone without.
    public func giveBack(_ attempt: consuming GrantedAttempt, now: MonotonicInstant) -> WaitingAttempt {
        var record = attempt.record
        if domainBuckets?.limit.isShadow == false { giveBackDomainToken(record) }
        record.holdsDomainToken = false
        record.earlierWait += record.wait
        (record.askedAt, record.wait) = (nil, 0)
        if !isShadow(record.fetch) { group(of: record.fetch).giveBack(now: now) }
        return WaitingAttempt(record: record)
    }

    /// Ends an attempt that waits, before it is sent.
    public func end(_ attempt: consuming WaitingAttempt) -> EndedAttempt { ended(attempt.record) }

    /// When an attempt could have its turn, if it came now.
    public func turn(of attempt: borrowing WaitingAttempt, now: MonotonicInstant) -> MonotonicInstant {
        group(of: attempt.fetch).turn(of: attempt.fetch.claim, now: now)
    }

    /// The end of an attempt without its group's token.
    private func ended(_ record: AttemptRecord) -> EndedAttempt {
        giveBackDomainToken(record)
        return EndedAttempt(record)
    }

    private func refused(_ record: AttemptRecord, _ scope: ThrottleScope, until: MonotonicInstant) -> Admission {
        giveBackDomainToken(record)
        return .refused(EndedAttempt(record), scope, until: until)
    }

    private func giveBackDomainToken(_ record: AttemptRecord) {
        if record.holdsDomainToken { domainBuckets?.buckets.giveBack(domainKey(record.fetch)) }
    }

    /// As its call was read: a reload changes it for later ones.
    private func isShadow(_ fetch: Fetch) -> Bool {
        fetch.request.service.settings.shadowGroups.contains(fetch.quotaGroup)
    }

    private var domainBuckets: (buckets: KeyedBuckets, limit: Limit)? {
        setup.withLock { setup in setup.domains.flatMap { domains in setup.domainLimit.map { (domains, $0) } } }
    }

    /// The domain of a service, as its limit knows it.
    private func domainKey(_ fetch: Fetch) -> [UInt8] {
        [UInt8(truncatingIfNeeded: fetch.service >> 8), UInt8(truncatingIfNeeded: fetch.service)] + fetch.domain
    }

    // MARK: Spare tokens

    /// Groups have numbers for refreshing ahead, those that services share one.
    var groupCount: Int { owned.count }

    /// The number of a fetch's group.
    func number(of fetch: Fetch) -> Int { number(service: fetch.service, group: fetch.quotaGroup) }

    func number(service: Int, group: Int) -> Int { starts[services[service].quotaOwner] + group }

    /// How many refreshes wait in a group's queue.
    func refreshes(in group: Int) -> Int { owned[group].refreshes }

    /// True if a fetch would have to wait for its group's token.
    func wouldWait(_ fetch: Fetch, now: MonotonicInstant) -> Bool {
        group(of: fetch).turn(of: fetch.claim, now: now) > now
    }

    /// When a group may have a spare token; nil if it has one now.
    func nextSpare(in group: Int, _ share: Double, now: MonotonicInstant) -> MonotonicInstant? {
        owned[group].nextSpare(share, now: now)
    }

    /// Takes the tokens of a refresh that nobody has asked for, if they are spare; nil if not.
    func admitAhead(_ fetch: Fetch, _ share: Double, now: MonotonicInstant) -> GrantedAttempt? {
        var record = AttemptRecord(fetch: fetch)
        if !fetch.domain.isEmpty, let (domains, _) = domainBuckets {
            // A domain's limit in shadow mode holds here: what would be refused is not spare.
            guard domains.take(domainKey(fetch), now: now) == .admitted else { return nil }
            record.holdsDomainToken = true
        }
        guard group(of: fetch).takeSpare(share, now: now) == nil else {
            giveBackDomainToken(record)
            return nil
        }
        return GrantedAttempt(record: record)
    }

    // MARK: While it waits

    /// A client has joined a flight that may still wait for its token: it goes on in that client's name if that is sooner.
    ///
    /// - Returns: true if it was moved. Others may have lost their place then.
    func join(_ flight: Flight, _ request: Call.ServiceRequest, as claim: Claim, now: MonotonicInstant) -> Bool {
        let group = groups[request.service.index][request.quotaGroup]
        return group.depth > 0 && group.join(as: claim, now: now) { $0.fetch.isFor(flight) }
    }

    /// Takes out a first attempt whose clients have all gone; nil if it is not in the queue.
    func withdraw(_ request: Call.ServiceRequest, where isMeant: @Sendable (Fetch) -> Bool) -> WaitingAttempt? {
        let group = groups[request.service.index][request.quotaGroup]
        guard group.depth > 0 else { return nil }
        return group.remove { $0.number == 1 && isMeant($0.fetch) }.map { WaitingAttempt(record: $0) }
    }

    // MARK: Release

    /// Hands out the tokens that have come since, in the order of the queues.
    public func release(now: MonotonicInstant) -> Release {
        var granted: [AttemptRecord] = []
        var expired: [AttemptRecord] = []
        var next: MonotonicInstant?
        for (service, groups) in groups.enumerated() {
            for (place, group) in groups.enumerated() {
                guard let turn = group.release(now: now, granted: &granted, expired: &expired) else { continue }
                next = min(next ?? .distantFuture, turn)
                askForSlots(service: service, group: place, now: now)
            }
        }
        for place in granted.indices { granted[place].granted(now: now) }
        for place in expired.indices { expired[place].granted(now: now) }
        return Release(granted: GrantedAttempts(granted), expired: ExpiredAttempts(expired), next: next)
    }

    /// Takes out all that waits.
    public func removeAll() -> ExpiredAttempts { ExpiredAttempts(groups.flatMap { $0.flatMap { $0.removeAll() } }) }

    /// True if nothing waits.
    public var isEmpty: Bool { groups.allSatisfy { $0.allSatisfy { $0.depth == 0 } } }

    // MARK: Slots

    private func id(_ service: Int, _ group: Int) -> QuotaGroupID {
        QuotaGroupID(service: services[service].quotaOwner, group: group)
    }

    private func askForSlots(service: Int, group: Int, now: MonotonicInstant) {
        guard let supply, let request = groups[service][group].slotsToAskFor(now: now) else { return }
        supply.ask(for: request, of: id(service, group), now: now)
    }

    /// The groups that have buckets and queues of their own, with their configured quotas; without those in shadow mode, which have nothing to
    /// share.
    public var ownGroups: [(id: QuotaGroupID, quota: Quota)] {
        let services = setup.withLock { $0.services }
        return services.indices.filter { services[$0].quotaOwner == $0 }.flatMap { service in
            let shadows = services[service].settings.shadowGroups
            return groups[service].indices.filter { !shadows.contains($0) }.map {
                (QuotaGroupID(service: service, group: $0), groups[service][$0].quota)
            }
        }
    }

    /// A group takes its tokens from another source from now on. The queue is to be released next.
    public func use(_ source: TokenSource, for id: QuotaGroupID, now: MonotonicInstant) {
        groups[id.service][id.group].use(source, now: now)
    }

    /// As `use`, for a group that takes tokens from the source before it.
    public func replaceSource(with source: TokenSource, for id: QuotaGroupID, now: MonotonicInstant) {
        groups[id.service][id.group].replaceSource(with: source, now: now)
    }

    /// A group gets slots that it has asked for; see `QuotaGroup.grant`. The queue is to be released next.
    public func grant(
        _ slots: [MonotonicInstant], to id: QuotaGroupID, bucket: TokenBucket, share: Double, now: MonotonicInstant
    ) { groups[id.service][id.group].grant(slots, bucket: bucket, share: share, now: now) }

    /// A group gets no slot that it has asked for; see `QuotaGroup.deny`. The queue is to be released next.
    public func deny(
        _ id: QuotaGroupID, until instant: MonotonicInstant, bucket: TokenBucket? = nil, share: Double? = nil,
        now: MonotonicInstant
    ) { groups[id.service][id.group].deny(until: instant, bucket: bucket, share: share, now: now) }

    // MARK: Feedback

    /// The service has throttled an attempt, because others use the account too: the group's rate is cut.
    ///
    /// - Returns: true if it was; not if the attempt left before the last cut.
    public func slowDown(after attempt: borrowing SentAttempt, now: MonotonicInstant) -> Bool {
        let group = group(of: attempt.fetch)
        supply?.slowDown(
            id(attempt.fetch.service, attempt.fetch.quotaGroup), group.quota, sentAt: attempt.sentAt, now: now)
        return group.throttled(sentAt: attempt.sentAt, now: now)
    }

    /// The service has said when it wants to be asked again: the fetch's quota group sends nothing before.
    public func hold(_ fetch: Fetch, until instant: MonotonicInstant, now: MonotonicInstant) {
        group(of: fetch).hold(until: instant, now: now)
        supply?.hold(id(fetch.service, fetch.quotaGroup), until: instant, now: now)
    }

    /// Returns true if no cut of a quota group's rate is left.
    public func isAtFullRate(service: Int, group: Int, now: MonotonicInstant) -> Bool {
        let group = groups[service][group]
        return group.currentQuota(now: now) == group.quota
    }

    // MARK: Figures

    public func figures(service: Int, group: Int, now: MonotonicInstant) -> Figures {
        let group = groups[service][group]
        return Figures(
            rate: 1e9 / Double(group.currentQuota(now: now).interval), fullRate: 1e9 / Double(group.quota.interval),
            tokens: group.tokens(now: now), waiting: group.depth)
    }

    /// The number of domains with a bucket of their own, and of takes from the shared one.
    public var domainFigures: (keys: Int, overflows: UInt64) {
        let figures = setup.withLock { $0.domains }?.figures
        return figures.map { ($0.keys, $0.overflows) } ?? (0, 0)
    }

    func error(_ fetch: Fetch, _ scope: ThrottleScope, until: MonotonicInstant, now: MonotonicInstant) -> GatewayError {
        let service = services[fetch.service]
        switch scope {
        case .domain:
            let rate = setup.withLock { $0.domainLimit }.map { ThrottleNotice.rate($0.quota) } ?? "0 requests a second"
            let domain = String(decoding: fetch.domain, as: UTF8.self)
            let limit = "domain \(domain) is limited to \(rate) to the service"
            return .throttled(.domain, limit, wait: until - now, service.catalog)
        case .streams:
            let limit = "as many streams of the service are open as the gateway allows"
            return .throttled(.streams, limit, wait: until - now, service.catalog)
        case .caller, .quota, .waiters:
            let name = service.catalog.quotaGroups[fetch.quotaGroup].name
            let rate = ThrottleNotice.rate(group(of: fetch).currentQuota(now: now))
            let limit = "quota group '\(name)' of the service allows \(rate)"
            return .throttled(.quota, limit, wait: until - now, service.catalog)
        }
    }
}
