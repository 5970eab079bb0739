internal import AWSProtocol
internal import Locking
internal import Primitives
internal import RateLimiter

/// The service itself: a call in, an answer out. It knows neither sockets nor clocks, and any thread may ask it.
final class SandboxService: Sendable {
    private let checksum: SipHash
    private let quota: Quota
    private let jobDuration: Int64
    private let state: Locked<State>

    /// All that changes between calls.
    private struct State {
        /// One for each group, by its number. Full at the start, like those of a service that was idle.
        var buckets = [TokenBucket](repeating: .full, count: QuotaGroup.allCases.count)
        var faults: FaultInjector
        var account: Account
    }

    /// When a call came.
    private struct Time {
        /// Nanoseconds.
        let monotonic: Int64
        let wallClock: WallInstant
        /// Since 1970-01-01T00:00:00Z, in whole seconds.
        var milliseconds: Int64 { wallClock.seconds * 1000 }
    }

    init(options: SandboxOptions) {
        // Everything that is drawn has a seed of its own, so that an option changes only what it is about.
        var seeds = SplitMix64(seed: options.seed)
        let account = Account(seed: seeds.next(), domains: options.domains, jobs: options.jobs)
        checksum = SipHash(key: (seeds.next(), seeds.next()))
        quota = Quota(rate: options.rate, burst: options.burst ?? options.rate)
        jobDuration = options.jobDuration
        state = Locked(State(faults: FaultInjector(options.faults, seed: seeds.next()), account: account))
    }

    /// The current data.
    var account: Account { state.withLock { $0.account } }

    /// Answers a call.
    ///
    /// The order is the service's: what is not there cannot be throttled, what is throttled is not looked at.
    ///
    /// - Parameters:
    ///   - target: the value of `X-Amz-Target`.
    ///   - now: monotonic nanoseconds, for quotas and the progress of jobs.
    ///   - wallClock: for page tokens and times of creation.
    func answer(target: String?, body: Span<UInt8>, now: Int64, wallClock: WallInstant) -> SandboxAnswer {
        guard let operation = Operation(target: target) else { return SandboxAnswer(nil, .unknownOperation()) }
        do throws(ServiceError) {
            try admit(operation, now: now)
            let input = try OperationInput(body, for: operation)
            return SandboxAnswer(operation, try perform(operation, input, Time(monotonic: now, wallClock: wallClock)))
        } catch {
            return SandboxAnswer(operation, error)
        }
    }

    /// Takes the call's quota token, and then perhaps fails it on purpose.
    private func admit(_ operation: Operation, now: Int64) throws(ServiceError) {
        try state.withLock { state throws(ServiceError) in
            guard state.buckets[operation.quotaGroup.rawValue].take(quota, now: now) == .admitted else {
                throw .throttled
            }
            if let code = state.faults.next() { throw .injected(code) }
        }
    }

    // MARK: Operations

    private func perform(
        _ operation: Operation, _ input: OperationInput, _ time: Time
    ) throws(ServiceError) -> JSONValue {
        switch operation {
        case .listDomains: try listDomains(input, time)
        case .listFraudsterRegistrationJobs: try listJobs(.fraudsterRegistration, operation, input, time)
        case .listSpeakerEnrollmentJobs: try listJobs(.speakerEnrollment, operation, input, time)
        case .describeFraudsterRegistrationJob: try describeJob(.fraudsterRegistration, input, time)
        case .describeSpeakerEnrollmentJob: try describeJob(.speakerEnrollment, input, time)
        case .startFraudsterRegistrationJob: try startJob(.fraudsterRegistration, input, time)
        case .startSpeakerEnrollmentJob: try startJob(.speakerEnrollment, input, time)
        case .createDomain: try createDomain(input, time)
        case .describeDomain: .object([("Domain", Shapes.domain(try domain(input)))])
        case .updateDomain: try updateDomain(input, time)
        case .deleteDomain: try deleteDomain(input)
        }
    }

    private func domain(_ input: OperationInput) throws(ServiceError) -> Domain {
        guard let domain = input[string: "DomainId"].flatMap({ account.domain($0) }) else { throw .domainNotFound }
        return domain
    }

    // MARK: Reads

    private func listDomains(_ input: OperationInput, _ time: Time) throws(ServiceError) -> JSONValue {
        let scope = PageToken.Scope(operation: .listDomains)
        let domains = Listing(older: account.domains)
        let page = try page(domains, \.position, scope, input, defaultSize: 10, now: time.wallClock)
        return Self.output("DomainSummaries", page.elements.map { Shapes.domain($0) }, page.nextToken)
    }

    private func listJobs(
        _ kind: JobKind, _ operation: Operation, _ input: OperationInput, _ time: Time
    ) throws(ServiceError) -> JSONValue {
        let domain = try domain(input)
        let status = input[string: "JobStatus"].flatMap { JobStatus(rawValue: $0) }
        let scope = PageToken.Scope(operation: operation, domain: domain.id, status: status)
        let jobs = domain.jobs[kind]?.jobs(in: status, now: time.monotonic) ?? Listing(older: [])
        let page = try page(jobs, \.position, scope, input, defaultSize: 100, now: time.wallClock)
        let summaries = page.elements.map { Shapes.summary($0, kind: kind, domain: domain.id) }
        return Self.output("JobSummaries", summaries, page.nextToken)
    }

    private func describeJob(_ kind: JobKind, _ input: OperationInput, _ time: Time) throws(ServiceError) -> JSONValue {
        let domain = try domain(input)
        guard let id = input[string: "JobId"].flatMap({ Identifier($0) }),
            let job = domain.jobs[kind]?.job(id, now: time.monotonic)
        else { throw .jobNotFound }
        return .object([("Job", Shapes.job(job, kind: kind, domain: domain.id))])
    }

    // MARK: Writes

    private func startJob(_ kind: JobKind, _ input: OperationInput, _ time: Time) throws(ServiceError) -> JSONValue {
        let domain = try domain(input).id
        let job = try write { account throws(ServiceError) in
            try account.startJob(
                kind, in: domain.text, input, duration: jobDuration / 1_000_000, now: time.monotonic,
                milliseconds: time.milliseconds)
        }
        return .object([("Job", Shapes.job(job, kind: kind, domain: domain))])
    }

    private func createDomain(_ input: OperationInput, _ time: Time) throws(ServiceError) -> JSONValue {
        let domain = try write { account throws(ServiceError) in
            try account.createDomain(
                Self.settings(input), clientToken: input[string: "ClientToken"], milliseconds: time.milliseconds)
        }
        return .object([("Domain", Shapes.domain(domain))])
    }

    private func updateDomain(_ input: OperationInput, _ time: Time) throws(ServiceError) -> JSONValue {
        let domain = try write { account throws(ServiceError) in
            try account.updateDomain(
                input[string: "DomainId"] ?? "", Self.settings(input), milliseconds: time.milliseconds)
        }
        return .object([("Domain", Shapes.domain(domain))])
    }

    private func deleteDomain(_ input: OperationInput) throws(ServiceError) -> JSONValue {
        try write { account throws(ServiceError) in try account.deleteDomain(input[string: "DomainId"] ?? "") }
        return .object([])
    }

    private static func settings(_ input: OperationInput) -> DomainSettings {
        DomainSettings(
            name: input[string: "Name"] ?? "", description: input[string: "Description"],
            kmsKey: input[string: "ServerSideEncryptionConfiguration.KmsKeyId"] ?? "")
    }

    private func write<Value: Sendable>(
        _ change: (inout Account) throws(ServiceError) -> Value
    ) throws(ServiceError) -> Value {
        try state.withLock { state throws(ServiceError) in try change(&state.account) }
    }

    // MARK: Pages

    /// The part of a sorted list that the input asks for, and the token for what follows it, if anything does.
    private func page<Element>(
        _ elements: Listing<Element>, _ position: (Element) -> Position, _ scope: PageToken.Scope,
        _ input: OperationInput, defaultSize: Int, now: WallInstant
    ) throws(ServiceError) -> (elements: Slice<Listing<Element>>, nextToken: String?) {
        var start = 0
        if let text = input[string: "NextToken"] {
            let last = try token(text, scope, now: now).position
            start = elements.firstIndex(after: last, position)
        }
        let size = input[integer: "MaxResults"].map { Int(clamping: $0) } ?? defaultSize
        let end = start + min(size, elements.count - start)
        let page = elements[start..<end]
        guard end < elements.count, let last = page.last else { return (page, nil) }
        let next = PageToken(scope: scope, position: position(last), issuedAt: now)
        return (page, next.spelled(checksum))
    }

    private func token(_ text: String, _ scope: PageToken.Scope, now: WallInstant) throws(ServiceError) -> PageToken {
        do throws(PageToken.Fault) {
            return try PageToken(text, for: scope, checksum: checksum, now: now)
        } catch {
            throw .invalidToken(error)
        }
    }

    private static func output(_ name: String, _ elements: [JSONValue], _ nextToken: String?) -> JSONValue {
        var members: [(name: String, value: JSONValue)] = [(name, .array(elements))]
        if let nextToken { members.append(("NextToken", .string(nextToken))) }
        return .object(members)
    }
}

extension Listing {
    /// The index of the first element behind a place in a sorted list, by bisection.
    fileprivate func firstIndex(after place: Position, _ position: (Element) -> Position) -> Int {
        var lower = 0
        var upper = count
        while lower < upper {
            let middle = lower + (upper - lower) / 2
            if position(self[middle]) > place { upper = middle } else { lower = middle + 1 }
        }
        return lower
    }
}
