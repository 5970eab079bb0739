internal import AWSProtocol
internal import Primitives

enum Shapes {
    private static let account = "111122223333"
    private static let region = "us-east-1"

    // MARK: Jobs

    static func summary(_ job: Job, kind: JobKind, domain: Identifier) -> JSONValue {
        .object(common(job, kind: kind, domain: domain))
    }

    static func job(_ job: Job, kind: JobKind, domain: Identifier) -> JSONValue {
        if let start = job.start { return self.job(job, start.request, kind: kind, domain: domain) }
        let watchlists = JSONValue.array([.string(watchlist(domain).text)])
        let threshold = JSONValue.integer(job.draw(.threshold, below: 101))
        let isFirstChoice = job.draw(.action, below: 2) == 0
        var members = common(job, kind: kind, domain: domain)
        func add(_ name: String, _ value: [(name: String, value: JSONValue)]) { members.append((name, .object(value))) }
        members.append(("DataAccessRoleArn", .string("arn:aws:iam::\(account):role/VoiceIDBatchJobs")))
        add("InputDataConfig", [("S3Uri", .string(uri("input", job, ".jsonl")))])
        add("OutputDataConfig", [("KmsKeyId", .string(kmsKey(domain))), ("S3Uri", .string(uri("output", job, "/")))])
        switch kind {
        case .fraudsterRegistration:
            let action = JSONValue.string(isFirstChoice ? "SKIP" : "REGISTER_AS_NEW")
            add(
                kind.configuration,
                [
                    ("DuplicateRegistrationAction", action), ("FraudsterSimilarityThreshold", threshold),
                    ("WatchlistIds", watchlists),
                ])
        case .speakerEnrollment:
            let detection = JSONValue.object([
                ("FraudDetectionAction", .string(isFirstChoice ? "IGNORE" : "FAIL")), ("RiskThreshold", threshold),
                ("WatchlistIds", watchlists),
            ])
            let action = JSONValue.string(isFirstChoice ? "SKIP" : "OVERWRITE")
            add(kind.configuration, [("ExistingEnrollmentAction", action), ("FraudDetectionConfig", detection)])
        }
        return .object(members)
    }

    /// A started job has the details that it was started with.
    private static func job(
        _ job: Job, _ request: OperationInput, kind: JobKind, domain: Identifier
    ) -> JSONValue {
        var members = common(job, kind: kind, domain: domain)
        for name in ["DataAccessRoleArn", "InputDataConfig", "OutputDataConfig", kind.configuration] {
            if let value = request[name] { members.append((name, value)) }
        }
        return .object(members)
    }

    private static func common(_ job: Job, kind: JobKind, domain: Identifier) -> [(name: String, value: JSONValue)] {
        var members: [(name: String, value: JSONValue)] = [
            ("CreatedAt", timestamp(job.position.createdAt)), ("DomainId", .string(domain.text)),
        ]
        if let endedAt = job.endedAt { members.append(("EndedAt", timestamp(endedAt))) }
        if let failure = job.failure {
            let details: [(name: String, value: JSONValue)] = [
                ("Message", .string(failure.message)), ("StatusCode", .integer(failure.statusCode)),
            ]
            members.append(("FailureDetails", .object(details)))
        }
        members.append(("JobId", .string(job.id.text)))
        if let name = name(job, kind: kind) { members.append(("JobName", .string(name))) }
        members.append(("JobProgress", .object([("PercentComplete", .integer(job.percentComplete))])))
        members.append(("JobStatus", .string(job.status.rawValue)))
        return members
    }

    /// A started job may have no name.
    private static func name(_ job: Job, kind: JobKind) -> String? {
        if let start = job.start { return start.request[string: "JobName"] }
        let number = 1000 + job.draw(.name, below: 9000)
        return switch kind {
        case .fraudsterRegistration: "fraudster-registration-\(number)"
        case .speakerEnrollment: "speaker-enrollment-\(number)"
        }
    }

    private static func uri(_ folder: String, _ job: Job, _ suffix: String) -> String {
        "s3://voice-id-sandbox/\(folder)/\(job.id.text)\(suffix)"
    }

    // MARK: Domains

    static func domain(_ domain: Domain) -> JSONValue {
        let id = domain.id.text
        let key = JSONValue.string(domain.settings.kmsKey)
        var members: [(name: String, value: JSONValue)] = [
            ("Arn", .string("arn:aws:voiceid:\(region):\(account):domain/\(id)")),
            ("CreatedAt", timestamp(domain.position.createdAt)),
        ]
        if let description = domain.settings.description { members.append(("Description", .string(description))) }
        members += [
            ("DomainId", .string(id)),
            ("DomainStatus", .string("ACTIVE")),
            ("Name", .string(domain.settings.name)),
            ("ServerSideEncryptionConfiguration", .object([("KmsKeyId", key)])),
            (
                "ServerSideEncryptionUpdateDetails",
                .object([
                    ("Message", .string("The domain is encrypted with its present key.")),
                    ("OldKmsKeyId", domain.oldKMSKey.map { .string($0) } ?? key),
                    ("UpdateStatus", .string("COMPLETED")),
                ])
            ),
            ("UpdatedAt", timestamp(domain.updatedAt)),
            ("WatchlistDetails", .object([("DefaultWatchlistId", .string(watchlist(domain.id).text))])),
        ]
        return .object(members)
    }

    private static func watchlist(_ domain: Identifier) -> Identifier { Identifier(key: SplitMix64.mix(domain.key)) }

    static func kmsKey(_ domain: Identifier) -> String {
        "arn:aws:kms:\(region):\(account):alias/voice-id-\(domain.key % 10_000)"
    }

    // MARK: Scalars

    /// A timestamp as awsJson writes it: seconds since 1970 as a number, with milliseconds
    /// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html).
    private static func timestamp(_ milliseconds: Int64) -> JSONValue {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        let digits = "\(rest)"
        return .number("\(seconds).\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits)")
    }
}
