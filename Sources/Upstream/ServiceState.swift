internal import Gateway
internal import OriginClient
internal import Primitives

/// The state that the attempts to one service share: its breaker, the budget of retries, its signer and its quota cuts.
struct ServiceState {
    let name: String
    /// Nanoseconds for an attempt.
    private(set) var attemptTimeout: Int64
    private(set) var maxReplyBytes: Int
    /// The attempts of operations whose replies are streamed, from their sending to their end, and how many there may be.
    var streams = 0
    let maxStreams: Int
    var breaker: Breaker
    var budget: RetryBudget
    /// nil for a service that gets its callers' signatures.
    private let signer: ServiceSigner?
    private var lacksCredentials = false
    private var service: Service
    /// The quota groups that use less than their quota, because the service has throttled.
    private var cutGroups: Set<Int> = []

    init(_ settings: UpstreamSettings, of service: Service, _ retry: RetryPolicy, now: MonotonicInstant) {
        self.service = service
        name = service.settings.name
        attemptTimeout = settings.attemptTimeout
        maxReplyBytes = settings.maxReplyBytes
        maxStreams = settings.maxStreams
        breaker = Breaker(Breaker.Policy(failures: settings.breakerFailures, openFor: settings.breakerOpenFor))
        budget = RetryBudget(retry, now: now)
        signer = settings.signing.map { ServiceSigner($0, takesHostPrefix: settings.takesHostPrefix) }
    }

    /// Other settings take effect. What was seen of the service's health, its clock and its quotas stays.
    ///
    /// - Parameter usesSupply: true if the credentials have another supply.
    mutating func change(_ settings: UpstreamSettings, of service: Service, _ retry: RetryPolicy, usesSupply: Bool) {
        self.service = service
        attemptTimeout = settings.attemptTimeout
        maxReplyBytes = settings.maxReplyBytes
        breaker.policy = Breaker.Policy(failures: settings.breakerFailures, openFor: settings.breakerOpenFor)
        budget.change(retry)
        if usesSupply, let supply = settings.signing?.supply { signer?.use(supply) }
    }

    // MARK: Breaker

    /// Records the end of a call's attempt as a sign of the service's health.
    ///
    /// - Parameter isFirstSign: false if another attempt has told of the same cause, a connection that they shared.
    mutating func record(
        _ result: AttemptResult, _ call: FetchCall, isFirstSign: Bool, isRepeat: Bool, now: MonotonicInstant,
        using random: inout some RandomNumberGenerator
    ) -> UpstreamEvent? {
        guard let sign = result.sign(isCutShort: call.isCutShort), isFirstSign || call.isProbe else {
            breaker.recordNothing(isProbe: call.isProbe, wasSent: result.error?.isLocalFault != true, now: now)
            return nil
        }
        let change = breaker.record(
            sign, of: call.input, isRepeat: isRepeat, isProbe: call.isProbe, now: now, using: &random)
        return switch change {
        case .opened(let cause, let span): .breakerOpened(service: name, cause: cause.description, span: span)
        case .closed: .breakerClosed(service: name)
        case nil: nil
        }
    }

    // MARK: Quota

    /// The rate of a quota group was cut. Returns what is to be reported, if it was at its full rate before.
    mutating func noteCut(ofGroup group: Int) -> UpstreamEvent? {
        guard cutGroups.insert(group).inserted else { return nil }
        return .quotaCut(service: name, group: service.catalog.quotaGroups[group].name)
    }

    /// Returns what is to be reported of quota groups that are back at their full rate.
    mutating func noteRestored(_ queue: FetchQueue, now: MonotonicInstant) -> [UpstreamEvent] {
        let restored = cutGroups.filter { queue.isAtFullRate(service: service.index, group: $0, now: now) }
        cutGroups.subtract(restored)
        return restored.map { .quotaRestored(service: name, group: service.catalog.quotaGroups[$0].name) }
    }

    // MARK: Signing

    struct Signature {
        /// How far from our clock the time is that it was signed for, in seconds.
        fileprivate var clockOffset: Int64 = 0
        /// Which of the signer's credentials.
        fileprivate var generation = 0
        /// True if credentials were renewed for the call.
        fileprivate var hasRenewed = false
    }

    /// The fields of a request, signed for this moment.
    ///
    /// - Returns: nil if the service's requests are not signed here.
    func sign(_ fetch: Fetch, _ signature: inout Signature, wallClock: WallInstant) -> ServiceSigner.Outcome? {
        guard let signer else { return nil }
        let outcome = signer.lines(fetch, wallClock: wallClock)
        signature.clockOffset = signer.clockOffset
        signature.generation = signer.generation
        return outcome
    }

    /// Takes the service's time from a reply, and has credentials renewed that it did not accept, once for a call.
    ///
    /// - Returns: true if the request would be signed for another time now, or with other credentials now or once they have come.
    func learn(_ result: AttemptResult, _ signature: inout Signature, wallClock: WallInstant) -> Bool {
        guard let signer else { return false }
        if result.mayBeMistimed, let date = result.date,
            signer.learn(date: date, signedOffset: signature.clockOffset, wallClock: wallClock)
        {
            return true
        }
        guard result.hasExpiredCredentials, !signature.hasRenewed else { return false }
        signature.hasRenewed = true
        return signer.renew(after: signature.generation, wallClock: wallClock)
    }

    /// Returns what is to be reported if the service does not accept these credentials, the first time.
    func noteRefusal(_ result: AttemptResult, _ signature: Signature) -> UpstreamEvent? {
        guard result.hasExpiredCredentials, let signer, signer.noteRefusal(of: signature.generation) else { return nil }
        return .credentialsRefused(service: name)
    }

    /// Returns what is to be reported, if that has changed.
    mutating func noteCredentials(missing cause: String?) -> UpstreamEvent? {
        guard lacksCredentials != (cause != nil) else { return nil }
        lacksCredentials = cause != nil
        return cause.map { .credentialsMissing(service: name, cause: $0) } ?? .credentialsBack(service: name)
    }
}

extension Breaker.Cause: CustomStringConvertible {
    var description: String {
        switch self {
        case .failuresInARow(let count): "\(count) attempts in a row have failed"
        case .failures(let count, let attempts): "\(count) of \(attempts) attempts of the last ten seconds have failed"
        case .probe: "the probe has failed"
        }
    }
}

extension AttemptResult {
    /// The sign of the service's health; nil if the result is none.
    ///
    /// - Parameter isCutShort: true if the attempt had less time than the service is given.
    func sign(isCutShort: Bool) -> Breaker.Sign? {
        if isCutShort, kind == .timeout { return nil }
        if error?.isLocalFault == true || error == .replyTooLarge { return nil }
        guard kind.isRetryable else { return .good }
        return mayHaveSent ? .failed : .unreachable
    }
}
