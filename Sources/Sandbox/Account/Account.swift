internal import AWSProtocol
internal import Primitives

/// The settings of a domain.
struct DomainSettings: Sendable, Equatable {
    var name: String
    var description: String?
    var kmsKey: String
}

/// A domain and the jobs in it.
struct Domain: Sendable {
    let position: Position
    /// Which domain of the account it is, in the order of their making.
    let number: Int
    private(set) var settings: DomainSettings
    /// The key that it was encrypted with before; `nil` if it never had another.
    private(set) var oldKMSKey: String?
    /// Milliseconds since 1970-01-01T00:00:00Z.
    private(set) var updatedAt: Int64
    var jobs: [JobKind: JobList]

    var id: Identifier { Identifier(key: position.key) }

    init(position: Position, number: Int, settings: DomainSettings, jobs: [JobKind: JobList]) {
        self.position = position
        self.number = number
        self.settings = settings
        self.jobs = jobs
        updatedAt = position.createdAt
    }

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    mutating func update(_ settings: DomainSettings, milliseconds: Int64) {
        if settings.kmsKey != self.settings.kmsKey { oldKMSKey = self.settings.kmsKey }
        self.settings = settings
        updatedAt = max(updatedAt, milliseconds)
    }
}

/// All that the sandbox knows: the domains of one account, made from a seed, and what was written since.
struct Account: Sendable {
    /// 2022-04-15T05:20:00Z, in milliseconds: nothing that comes from the seed was created later. Fixed, so that the answers
    /// of one seed are the same whenever they are asked for.
    static let epoch: Int64 = 1_650_000_000_000
    private static let day: Int64 = 86_400_000

    /// Newest first.
    private(set) var domains: [Domain]
    private let keys: Keys
    private var places: [Identifier: Int] = [:]
    /// The domains by the token of the request that made them.
    private var byClientToken: [[UInt8]: Identifier] = [:]
    /// How many domains were ever made.
    private var made: Int
    private var jobCount: Int

    init(seed: UInt64, domains count: Int, jobs: Int) {
        let keys = Keys(seed: seed)
        self.keys = keys
        made = count
        jobCount = count * jobs * JobKind.allCases.count
        domains = (0..<count).map { number in
            let key = keys.domain(number)
            var random = SplitMix64(seed: key)
            let age = 700 * Self.day + Int64(random.below(UInt64(300 * Self.day)))
            var lists: [JobKind: JobList] = [:]
            for kind in JobKind.allCases {
                lists[kind] = JobList(count: jobs, newest: Self.epoch, seed: random.next()) { job in
                    keys.job(job, kind, domain: number)
                }
            }
            let settings = DomainSettings(
                name: "sandbox-\(key % 10_000)", description: "A domain of the sandbox",
                kmsKey: Shapes.kmsKey(Identifier(key: key)))
            return Domain(
                position: Position(createdAt: Self.epoch - age, key: key), number: number, settings: settings,
                jobs: lists)
        }.sorted { $0.position < $1.position }
        index()
    }

    /// The domain with an identifier.
    func domain(_ id: String) -> Domain? {
        guard let place = Identifier(id).flatMap({ places[$0] }) else { return nil }
        return domains[place]
    }

    // MARK: Writes

    /// Makes a domain, or returns the one that was made with the same token.
    ///
    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    /// - Throws: a `ServiceQuotaExceededException`, or a `ConflictException` if the token was used for something else.
    mutating func createDomain(
        _ settings: DomainSettings, clientToken: String?, milliseconds: Int64
    ) throws(ServiceError) -> Domain {
        if let token = clientToken, let domain = byClientToken[Array(token.utf8)].flatMap({ self.domain($0.text) }) {
            guard domain.settings == settings else { throw .tokenReused }
            return domain
        }
        guard domains.count < SandboxOptions.maxDomains else {
            throw .quotaExceeded("The account has \(domains.count) domains; delete one.")
        }
        let newest = domains.first?.position.createdAt ?? Self.epoch
        let position = Position(createdAt: max(milliseconds, newest + 1), key: keys.domain(made))
        var lists: [JobKind: JobList] = [:]
        for kind in JobKind.allCases { lists[kind] = JobList(count: 0, newest: milliseconds, seed: 0) { _ in 0 } }
        let domain = Domain(position: position, number: made, settings: settings, jobs: lists)
        made += 1
        domains.insert(domain, at: 0)
        if let clientToken { byClientToken[Array(clientToken.utf8)] = domain.id }
        index()
        return domain
    }

    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    /// - Throws: a `ResourceNotFoundException`.
    mutating func updateDomain(_ id: String, _ settings: DomainSettings, milliseconds: Int64) throws(ServiceError)
        -> Domain
    {
        let place = try place(id)
        domains[place].update(settings, milliseconds: milliseconds)
        return domains[place]
    }

    /// Removes a domain and its jobs.
    ///
    /// - Throws: a `ResourceNotFoundException`.
    mutating func deleteDomain(_ id: String) throws(ServiceError) {
        let domain = domains.remove(at: try place(id))
        jobCount -= domain.jobs.values.reduce(0) { $0 + $1.count }
        byClientToken = byClientToken.filter { $0.value != domain.id }
        index()
    }

    /// Starts a job, or returns the one that was started with the same token.
    ///
    /// A domain has at most one active job of each kind, as the service's quotas say
    /// (https://docs.aws.amazon.com/connect/latest/adminguide/amazon-connect-service-limits.html#voiceid-quotas). Jobs from
    /// the seed do not count: they never end.
    ///
    /// - Parameters:
    ///   - duration: from submission to end, in milliseconds.
    ///   - now: monotonic nanoseconds.
    ///   - milliseconds: since 1970-01-01T00:00:00Z.
    /// - Throws: a `ResourceNotFoundException`, `ConflictException` or `ServiceQuotaExceededException`.
    mutating func startJob(
        _ kind: JobKind, in domain: String, _ request: OperationInput, duration: Int64, now: Int64, milliseconds: Int64
    ) throws(ServiceError) -> Job {
        let place = try place(domain)
        guard let jobs = domains[place].jobs[kind] else { throw .domainNotFound }
        let clientToken = request[string: "ClientToken"]
        if let job = clientToken.flatMap({ jobs.started(with: $0) }) {
            guard job.request == request else { throw .tokenReused }
            return job.job(now: now)
        }
        let newest = jobs.started.first
        if let newest, !newest.job(now: now).status.isTerminal { throw .jobIsActive(newest.position.key) }
        guard jobCount < SandboxOptions.maxJobs else { throw .quotaExceeded("The account has \(jobCount) jobs.") }
        let position = Position(
            createdAt: max(milliseconds, (newest?.position.createdAt ?? Self.epoch) + 1),
            key: keys.job(jobs.count, kind, domain: domains[place].number))
        let job = StartedJob(position: position, startedAt: now, duration: duration, request: request)
        domains[place].jobs[kind]?.start(job, clientToken: clientToken)
        jobCount += 1
        return job.job(now: now)
    }

    private func place(_ id: String) throws(ServiceError) -> Int {
        guard let place = Identifier(id).flatMap({ places[$0] }) else { throw .domainNotFound }
        return place
    }

    private mutating func index() {
        places = Dictionary(domains.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// Keys that look random, are all different, and do not depend on how many there are: a permutation of plain numbers.
private struct Keys {
    let seed: UInt64

    func domain(_ index: Int) -> UInt64 { key(index, 0, 0) }

    func job(_ index: Int, _ kind: JobKind, domain: Int) -> UInt64 { key(domain, Int(kind.rawValue) + 1, index) }

    /// More bits for each number than `SandboxOptions` lets it have.
    private func key(_ domain: Int, _ list: Int, _ index: Int) -> UInt64 {
        SplitMix64.mix(seed &+ UInt64(truncatingIfNeeded: domain << 32 | list << 30 | index))
    }
}
