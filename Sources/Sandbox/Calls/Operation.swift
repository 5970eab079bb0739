internal import AWSProtocol

/// The operations that the sandbox answers. All others of the service are unknown to it.
enum Operation: String, Sendable, CaseIterable {
    case listDomains = "ListDomains"
    case listFraudsterRegistrationJobs = "ListFraudsterRegistrationJobs"
    case describeFraudsterRegistrationJob = "DescribeFraudsterRegistrationJob"
    case listSpeakerEnrollmentJobs = "ListSpeakerEnrollmentJobs"
    case describeSpeakerEnrollmentJob = "DescribeSpeakerEnrollmentJob"
    case startFraudsterRegistrationJob = "StartFraudsterRegistrationJob"
    case startSpeakerEnrollmentJob = "StartSpeakerEnrollmentJob"
    case createDomain = "CreateDomain"
    case describeDomain = "DescribeDomain"
    case updateDomain = "UpdateDomain"
    case deleteDomain = "DeleteDomain"

    private static let targetPrefix = "VoiceID."

    init?(target: String?) {
        guard let target, target.hasPrefix(Self.targetPrefix) else { return nil }
        self.init(rawValue: String(target.dropFirst(Self.targetPrefix.count)))
    }

    var quotaGroup: QuotaGroup {
        switch self {
        case .listDomains, .createDomain, .describeDomain, .updateDomain, .deleteDomain,
            .listFraudsterRegistrationJobs, .describeFraudsterRegistrationJob, .startFraudsterRegistrationJob,
            .listSpeakerEnrollmentJobs, .describeSpeakerEnrollmentJob, .startSpeakerEnrollmentJob:
            .batch
        }
    }
}

/// The quotas of the service that the sandbox's operations fall under. The service has more; their operations are unknown
/// here, and what is unknown is not counted.
enum QuotaGroup: Int, Sendable, CaseIterable {
    /// Domains and both kinds of job, together.
    case batch
}
