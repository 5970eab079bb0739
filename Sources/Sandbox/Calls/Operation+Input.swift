internal import AWSProtocol

extension Operation {
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

    private static let listDomainsInput = [maxResults(10), nextToken]
    private static let listJobsInput = [
        identifier("DomainId"), choice("JobStatus", JobStatus.allCases.map(\.rawValue)), maxResults(100), nextToken,
    ]
    private static let describeJobInput = [identifier("DomainId"), identifier("JobId")]
    private static let startRegistrationInput =
        startJobInput + [
            structure(
                "RegistrationConfig",
                [
                    choice("DuplicateRegistrationAction", ["SKIP", "REGISTER_AS_NEW"]),
                    score("FraudsterSimilarityThreshold"), watchlists,
                ])
        ]
    private static let startEnrollmentInput =
        startJobInput + [
            structure(
                "EnrollmentConfig",
                [
                    choice("ExistingEnrollmentAction", ["SKIP", "OVERWRITE"]),
                    structure(
                        "FraudDetectionConfig",
                        [choice("FraudDetectionAction", ["IGNORE", "FAIL"]), score("RiskThreshold"), watchlists]),
                ])
        ]
    private static let startJobInput = [
        clientToken,
        text("DataAccessRoleArn", 20...2048, #"^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$"#, isRequired: true),
        identifier("DomainId"),
        structure("InputDataConfig", [uri], isRequired: true),
        text("JobName", 1...256, "^[a-zA-Z0-9][a-zA-Z0-9_-]*$", isSensitive: true),
        structure("OutputDataConfig", [text("KmsKeyId", 1...2048, nil), uri], isRequired: true),
    ]
    private static let createDomainInput =
        [clientToken] + settings + [
            list("Tags", 0...200, of: structure("member", [tag("Key", 1...128), tag("Value", 0...256)]))
        ]
    private static let updateDomainInput = [identifier("DomainId")] + settings
    private static let domainInput = [identifier("DomainId")]
    private static let settings = [
        text("Description", 1...1024, #"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"#, isSensitive: true),
        text("Name", 1...256, "^[a-zA-Z0-9][a-zA-Z0-9_-]*$", isRequired: true, isSensitive: true),
        structure(
            "ServerSideEncryptionConfiguration", [text("KmsKeyId", 1...2048, nil, isRequired: true)], isRequired: true),
    ]

    private static let clientToken = text("ClientToken", 1...64, "^[a-zA-Z0-9-_]+$")
    private static let nextToken = text("NextToken", 0...8192, #"^\p{ASCII}{0,8192}$"#)

    private static func identifier(_ member: String) -> InputConstraint {
        text(member, 22...22, "^[a-zA-Z0-9]{22}$", isRequired: true)
    }

    private static let uri = text(
        "S3Uri", 0...1024, #"^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$"#, isRequired: true)
    private static let watchlists = list("WatchlistIds", 1...1, of: text("member", 22...22, "^[a-zA-Z0-9]{22}$"))

    private static func tag(_ member: String, _ length: ClosedRange<Int64>) -> InputConstraint {
        text(member, length, #"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"#, isRequired: true, isSensitive: true)
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

    private static func structure(
        _ member: String, _ members: [InputConstraint], isRequired: Bool = false
    ) -> InputConstraint {
        InputConstraint(member: member, kind: .structure, isRequired: isRequired, members: members)
    }

    private static func list(
        _ member: String, _ count: ClosedRange<Int64>, of element: InputConstraint
    ) -> InputConstraint {
        InputConstraint(
            member: member, kind: .list, minimum: count.lowerBound, maximum: count.upperBound, members: [element])
    }

    private static func score(_ member: String) -> InputConstraint {
        InputConstraint(member: member, kind: .integer, minimum: 0, maximum: 100)
    }

    private static func maxResults(_ maximum: Int64) -> InputConstraint {
        InputConstraint(member: "MaxResults", kind: .integer, minimum: 1, maximum: maximum)
    }
}
