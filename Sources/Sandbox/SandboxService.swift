internal import AWSProtocol
internal import Locking
internal import RateLimiter

/// The service itself: a call in, an answer out. It knows neither sockets nor clocks, and any thread may ask it.
final class SandboxService: Sendable {
    let account: Account
    private let checksum: SipHash
    private let quota: Quota
    private let state: Locked<State>

    /// All that changes between calls.
    private struct State {
        /// One for each group, by its number. Full at the start: the service was there before anybody called.
        var buckets = [TokenBucket](repeating: .full, count: QuotaGroup.allCases.count)
        var faults: FaultInjector
    }

    init(options: SandboxOptions) {
        // Everything that is drawn has a seed of its own, so that an option changes only what it is about.
        var seeds = SplitMix64(seed: options.seed)
        account = Account(seed: seeds.next(), domains: options.domains, jobs: options.jobs)
        checksum = SipHash(key: (seeds.next(), seeds.next()))
        quota = Quota(rate: options.rate, burst: options.burst ?? options.rate)
        state = Locked(State(faults: FaultInjector(options.faults, seed: seeds.next())))
    }

    /// Answers a call.
    ///
    /// The order is the service's: what is not there cannot be throttled, what is throttled is not looked at.
    ///
    /// - Parameters:
    ///   - target: the value of `X-Amz-Target`.
    ///   - now: monotonic nanoseconds, for quotas.
    ///   - wallClock: seconds since 1970-01-01T00:00:00Z, for page tokens.
    func answer(target: String?, body: Span<UInt8>, now: Int64, wallClock: Int64) -> SandboxAnswer {
        guard let operation = Operation(target: target) else { return SandboxAnswer(nil, .unknownOperation()) }
        do throws(ServiceError) {
            try admit(operation, now: now)
            let input = try OperationInput(body, for: operation)
            return SandboxAnswer(operation, try perform(operation, input, now: wallClock))
        } catch {
            return SandboxAnswer(operation, error)
        }
    }

    /// Takes the call's quota token, and then perhaps fails it on purpose.
    private func admit(_ operation: Operation, now: Int64) throws(ServiceError) {
        let failure: ServiceError? = state.withLock { state in
            guard state.buckets[operation.quotaGroup.rawValue].take(quota, now: now) == .admitted else {
                return .throttled
            }
            return state.faults.next().map { .injected($0) }
        }
        if let failure { throw failure }
    }

    // MARK: Operations

    private func perform(
        _ operation: Operation, _ input: OperationInput, now: Int64
    ) throws(ServiceError) -> JSONValue {
        switch operation {
        case .listDomains: try listDomains(input, now: now)
        case .listFraudsterRegistrationJobs: try listJobs(.fraudsterRegistration, operation, input, now: now)
        case .listSpeakerEnrollmentJobs: try listJobs(.speakerEnrollment, operation, input, now: now)
        case .describeFraudsterRegistrationJob: try describeJob(.fraudsterRegistration, input)
        case .describeSpeakerEnrollmentJob: try describeJob(.speakerEnrollment, input)
        }
    }

    private func listDomains(_ input: OperationInput, now: Int64) throws(ServiceError) -> JSONValue {
        let scope = PageToken.Scope(operation: .listDomains)
        let page = try page(account.domains, \.position, scope, input, defaultSize: 10, now: now)
        return Self.output("DomainSummaries", page.elements.map { Shapes.summary($0) }, page.nextToken)
    }

    private func listJobs(
        _ kind: JobKind, _ operation: Operation, _ input: OperationInput, now: Int64
    ) throws(ServiceError) -> JSONValue {
        let domain = try domain(input)
        let status = input[string: "JobStatus"].flatMap { JobStatus(rawValue: $0) }
        let scope = PageToken.Scope(operation: operation, domain: domain.id, status: status)
        let jobs = domain.jobs[kind]?.jobs(in: status) ?? []
        let page = try page(jobs, \.position, scope, input, defaultSize: 100, now: now)
        let summaries = page.elements.map { Shapes.summary($0, kind: kind, domain: domain.id) }
        return Self.output("JobSummaries", summaries, page.nextToken)
    }

    private func describeJob(_ kind: JobKind, _ input: OperationInput) throws(ServiceError) -> JSONValue {
        let domain = try domain(input)
        guard let id = input[string: "JobId"].flatMap({ Identifier($0) }), let job = domain.jobs[kind]?.job(id) else {
            throw .jobNotFound
        }
        return .object([("Job", Shapes.job(job, kind: kind, domain: domain.id))])
    }

    private func domain(_ input: OperationInput) throws(ServiceError) -> Domain {
        guard let domain = input[string: "DomainId"].flatMap({ account.domain($0) }) else { throw .domainNotFound }
        return domain
    }

    // MARK: Pages

    /// The part of a sorted list that the input asks for, and the token for what follows it, if anything does.
    private func page<Element>(
        _ elements: [Element], _ position: (Element) -> Position, _ scope: PageToken.Scope, _ input: OperationInput,
        defaultSize: Int, now: Int64
    ) throws(ServiceError) -> (elements: ArraySlice<Element>, nextToken: String?) {
        var start = 0
        if let text = input[string: "NextToken"] {
            let last = try token(text, scope, now: now).position
            start = elements.firstIndex(after: last, position)
        }
        let size = input[integer: "MaxResults"].map { Int(clamping: $0) } ?? defaultSize
        let end = start + min(size, elements.count - start)
        guard end < elements.count, end > start else { return (elements[start..<end], nil) }
        let next = PageToken(scope: scope, position: position(elements[end - 1]), issuedAt: now)
        return (elements[start..<end], next.spelled(checksum))
    }

    private func token(_ text: String, _ scope: PageToken.Scope, now: Int64) throws(ServiceError) -> PageToken {
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

extension Array {
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
