internal import Primitives

/// The options of a sandbox.
public struct SandboxOptions: Sendable {
    /// Everything that the sandbox makes up follows from it: two sandboxes with one seed answer alike.
    public var seed: UInt64
    /// The number of domains, 0 to 1000.
    public var domains: Int
    /// The number of fraudster registration jobs in each domain, and of speaker enrollment jobs; 0 or more, and at most
    /// 1,000,000 in all domains together.
    public var jobs: Int
    /// The quota of every group of operations, in requests a second. Values outside 1 a day to 10⁷ a second count as the
    /// nearest of these.
    public var rate: Double
    /// The number of requests that a full bucket admits at once, 1 or more; `nil` for as many as `rate`. Buckets start full.
    public var burst: Double?
    /// The time that each call waits for its answer, in nanoseconds, 0 to an hour.
    public var latency: Int64
    /// The time from a job's start to its end, in nanoseconds, 0 to an hour; for the first fifth of it, it waits.
    public var jobDuration: Int64
    /// Errors to answer calls with that were not throttled: an error code such as `InternalServerException`, and the share
    /// of calls, 0 to 1; the shares add up to 1 at most.
    public var faults: [(code: String, probability: Double)]

    /// The defaults are those of the real service as far as it has any.
    public init(
        seed: UInt64 = 1, domains: Int = 3, jobs: Int = 250, rate: Double = 2, burst: Double? = nil,
        latency: Int64 = 0, jobDuration: Int64 = 10_000_000_000, faults: [(code: String, probability: Double)] = []
    ) {
        self.seed = seed
        self.domains = domains
        self.jobs = jobs
        self.rate = rate
        self.burst = burst
        self.latency = latency
        self.jobDuration = jobDuration
        self.faults = faults
    }
}

/// An option that no sandbox can be made with.
public struct SandboxOptionError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The option's name in `SandboxOptions`.
    public let option: String
    /// The values that it may have.
    public let requirement: String

    /// Both, for a person.
    public var description: String { "\(option): \(requirement)" }
}

extension SandboxOptions {
    /// The most domains that an account may have, and the most jobs of one kind or, once some are started, of both.
    static let maxDomains = 1000
    static let maxJobs = 1_000_000
    private static let hour: Int64 = 3_600_000_000_000

    /// - Throws: `SandboxOptionError` for the first option that is out of its range.
    func validate() throws(SandboxOptionError) {
        try require("domains", "must be 0 to \(Self.maxDomains)", 0...Self.maxDomains ~= domains)
        let most = Self.maxJobs / max(1, domains)
        try require("jobs", "must be 0 to \(most) for \(domains) domains", 0...most ~= jobs)
        try require("rate", "must be a number that is not negative", rate >= 0)
        try require("burst", "must be 1 or more", burst.map { $0 >= 1 } ?? true)
        try require("latency", "must be 0 to an hour", 0...Self.hour ~= latency)
        try require("jobDuration", "must be 0 to an hour", 0...Self.hour ~= jobDuration)
        for fault in faults {
            try require("faults", "the code must be letters and digits", Self.isCode(fault.code))
            try require("faults", "\(fault.code): the share must be 0 to 1", 0...1 ~= fault.probability)
        }
        // One in a million more is what ten shares of 0.1 may add up to.
        let sum = faults.reduce(0) { $0 + $1.probability }
        try require("faults", "the shares must add up to 1 at most", sum <= 1.000_001)
    }

    private func require(_ option: String, _ requirement: String, _ isMet: Bool) throws(SandboxOptionError) {
        guard isMet else { throw SandboxOptionError(option: option, requirement: requirement) }
    }

    private static func isCode(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0.isDigit || $0.isLetter }
    }
}
