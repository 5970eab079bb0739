internal import AWSProtocol

extension Operation {
    /// What the model says of the input, in its order. A member of a structure stands behind the structure and a dot.
    var constraints: [InputConstraint] {
        switch self {
        case .listDomains: Self.listDomainsInput
        case .listFraudsterRegistrationJobs, .listSpeakerEnrollmentJobs: Self.listJobsInput
        case .describeFraudsterRegistrationJob, .describeSpeakerEnrollmentJob: Self.describeJobInput
        case .startFraudsterRegistrationJob: Self.startRegistrationInput
        case .startSpeakerEnrollmentJob: Self.startEnrollmentInput
        case .createDomain: Self.createDomainInput
        case .updateDomain: Self.updateDomainInput
        case .describeDomain, .deleteDomain: Self.domainInput
        }
    }

    // MARK: Operations

    private static let listDomainsInput = [maxResults(10), nextToken]
    private static let listJobsInput = [
        identifier("DomainId"), choice("JobStatus", JobStatus.allCases.map(\.rawValue)), maxResults(100), nextToken,
    ]
    private static let describeJobInput = [identifier("DomainId"), identifier("JobId")]
    private static let startRegistrationInput =
        startJobInput + [
            structure("RegistrationConfig"),
            choice("RegistrationConfig.DuplicateRegistrationAction", ["SKIP", "REGISTER_AS_NEW"]),
            score("RegistrationConfig.FraudsterSimilarityThreshold"),
            InputConstraint(member: "RegistrationConfig.WatchlistIds", kind: .list),
        ]
    private static let startEnrollmentInput =
        startJobInput + [
            structure("EnrollmentConfig"),
            choice("EnrollmentConfig.ExistingEnrollmentAction", ["SKIP", "OVERWRITE"]),
            structure("EnrollmentConfig.FraudDetectionConfig"),
            choice("EnrollmentConfig.FraudDetectionConfig.FraudDetectionAction", ["IGNORE", "FAIL"]),
            score("EnrollmentConfig.FraudDetectionConfig.RiskThreshold"),
            InputConstraint(member: "EnrollmentConfig.FraudDetectionConfig.WatchlistIds", kind: .list),
        ]
    private static let startJobInput = [
        clientToken,
        text("DataAccessRoleArn", 20...2048, #"^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$"#, isRequired: true),
        identifier("DomainId"),
        structure("InputDataConfig", isRequired: true), uri("InputDataConfig.S3Uri"),
        text("JobName", 1...256, "^[a-zA-Z0-9][a-zA-Z0-9_-]*$", isSensitive: true),
        structure("OutputDataConfig", isRequired: true), text("OutputDataConfig.KmsKeyId", 1...2048, nil),
        uri("OutputDataConfig.S3Uri"),
    ]
    private static let createDomainInput =
        [clientToken] + settings + [InputConstraint(member: "Tags", kind: .list)]
    private static let updateDomainInput = [identifier("DomainId")] + settings
    private static let domainInput = [identifier("DomainId")]
    private static let settings = [
        text("Description", 1...1024, #"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"#, isSensitive: true),
        text("Name", 1...256, "^[a-zA-Z0-9][a-zA-Z0-9_-]*$", isRequired: true, isSensitive: true),
        structure("ServerSideEncryptionConfiguration", isRequired: true),
        text("ServerSideEncryptionConfiguration.KmsKeyId", 1...2048, nil, isRequired: true),
    ]

    // MARK: Shapes

    private static let clientToken = text("ClientToken", 1...64, "^[a-zA-Z0-9-_]+$")
    private static let nextToken = text("NextToken", 0...8192, #"^\p{ASCII}{0,8192}$"#)

    private static func identifier(_ member: String) -> InputConstraint {
        text(member, 22...22, "^[a-zA-Z0-9]{22}$", isRequired: true)
    }

    private static func uri(_ member: String) -> InputConstraint {
        text(member, 0...1024, #"^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$"#, isRequired: true)
    }

    private static func text(
        _ member: String, _ length: ClosedRange<Int64>, _ pattern: String?, isRequired: Bool = false,
        isSensitive: Bool = false
    ) -> InputConstraint {
        InputConstraint(
            member: member, kind: .string, isRequired: isRequired, minimum: length.lowerBound,
            maximum: length.upperBound, pattern: pattern.flatMap { try? Pattern($0) }, isSensitive: isSensitive)
    }

    private static func choice(_ member: String, _ values: [String]) -> InputConstraint {
        InputConstraint(member: member, kind: .string, values: values)
    }

    private static func structure(_ member: String, isRequired: Bool = false) -> InputConstraint {
        InputConstraint(member: member, kind: .structure, isRequired: isRequired)
    }

    private static func score(_ member: String) -> InputConstraint {
        InputConstraint(member: member, kind: .integer, minimum: 0, maximum: 100)
    }

    private static func maxResults(_ maximum: Int64) -> InputConstraint {
        InputConstraint(member: "MaxResults", kind: .integer, minimum: 1, maximum: maximum)
    }
}
