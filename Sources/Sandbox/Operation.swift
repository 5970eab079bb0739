internal import AWSProtocol

/// The operations that the sandbox answers. All others of the service are unknown to it.
enum Operation: String, Sendable, CaseIterable {
    case listDomains = "ListDomains"
    case listFraudsterRegistrationJobs = "ListFraudsterRegistrationJobs"
    case describeFraudsterRegistrationJob = "DescribeFraudsterRegistrationJob"
    case listSpeakerEnrollmentJobs = "ListSpeakerEnrollmentJobs"
    case describeSpeakerEnrollmentJob = "DescribeSpeakerEnrollmentJob"

    private static let targetPrefix = "VoiceID."

    /// The operation that an `X-Amz-Target` names.
    init?(target: String?) {
        guard let target, target.hasPrefix(Self.targetPrefix) else { return nil }
        self.init(rawValue: String(target.dropFirst(Self.targetPrefix.count)))
    }

    /// A number for page tokens, below 32.
    var code: UInt8 {
        switch self {
        case .listDomains: 1
        case .listFraudsterRegistrationJobs: 2
        case .describeFraudsterRegistrationJob: 3
        case .listSpeakerEnrollmentJobs: 4
        case .describeSpeakerEnrollmentJob: 5
        }
    }

    /// The quota that its calls are counted against.
    var quotaGroup: QuotaGroup {
        switch self {
        case .listDomains, .listFraudsterRegistrationJobs, .describeFraudsterRegistrationJob,
            .listSpeakerEnrollmentJobs, .describeSpeakerEnrollmentJob:
            .batch
        }
    }

    // MARK: Input

    /// What the model says of the input, in its order.
    var constraints: [InputConstraint] {
        switch self {
        case .listDomains: Self.listDomainsInput
        case .listFraudsterRegistrationJobs, .listSpeakerEnrollmentJobs: Self.listJobsInput
        case .describeFraudsterRegistrationJob, .describeSpeakerEnrollmentJob: Self.describeJobInput
        }
    }

    private static let listDomainsInput = [maxResults(10), nextToken]
    private static let listJobsInput = [
        identifier("DomainId"),
        InputConstraint(member: "JobStatus", kind: .string, values: JobStatus.allCases.map(\.rawValue)),
        maxResults(100), nextToken,
    ]
    private static let describeJobInput = [identifier("DomainId"), identifier("JobId")]

    private static let nextToken = InputConstraint(
        member: "NextToken", kind: .string, minimum: 0, maximum: 8192, pattern: try? Pattern(#"^\p{ASCII}{0,8192}$"#))

    private static func identifier(_ member: String) -> InputConstraint {
        InputConstraint(
            member: member, kind: .string, isRequired: true, minimum: 22, maximum: 22,
            pattern: try? Pattern("^[a-zA-Z0-9]{22}$"))
    }

    private static func maxResults(_ maximum: Int64) -> InputConstraint {
        InputConstraint(member: "MaxResults", kind: .integer, minimum: 1, maximum: maximum)
    }
}

/// The quotas of the service that the sandbox's operations fall under. The service has more; their operations are unknown
/// here, and what is unknown is not counted.
enum QuotaGroup: Int, Sendable, CaseIterable {
    /// Domains and both kinds of job, together.
    case batch
}
