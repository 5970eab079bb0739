import AWSProtocol
import Testing

@testable import Gateway

/// The facts are those of botocore's `voice-id/2021-09-27/service-2.json`, written down by hand.
@Suite("The built-in catalog knows each input of the service model")
struct CatalogModelTests {
    /// Each operation's members in the order of their names; "!" marks the required ones.
    private static let inputs = [
        "AssociateFraudster": "DomainId! FraudsterId! WatchlistId!",
        "CreateDomain": "ClientToken Description Name! ServerSideEncryptionConfiguration! Tags",
        "CreateWatchlist": "ClientToken Description DomainId! Name!",
        "DeleteDomain": "DomainId!",
        "DeleteFraudster": "DomainId! FraudsterId!",
        "DeleteSpeaker": "DomainId! SpeakerId!",
        "DeleteWatchlist": "DomainId! WatchlistId!",
        "DescribeDomain": "DomainId!",
        "DescribeFraudster": "DomainId! FraudsterId!",
        "DescribeFraudsterRegistrationJob": "DomainId! JobId!",
        "DescribeSpeaker": "DomainId! SpeakerId!",
        "DescribeSpeakerEnrollmentJob": "DomainId! JobId!",
        "DescribeWatchlist": "DomainId! WatchlistId!",
        "DisassociateFraudster": "DomainId! FraudsterId! WatchlistId!",
        "EvaluateSession": "DomainId! SessionNameOrId!",
        "ListDomains": "MaxResults NextToken",
        "ListFraudsterRegistrationJobs": "DomainId! JobStatus MaxResults NextToken",
        "ListFraudsters": "DomainId! MaxResults NextToken WatchlistId",
        "ListSpeakerEnrollmentJobs": "DomainId! JobStatus MaxResults NextToken",
        "ListSpeakers": "DomainId! MaxResults NextToken",
        "ListTagsForResource": "ResourceArn!",
        "ListWatchlists": "DomainId! MaxResults NextToken",
        "OptOutSpeaker": "DomainId! SpeakerId!",
        "StartFraudsterRegistrationJob":
            "ClientToken DataAccessRoleArn! DomainId! InputDataConfig! JobName OutputDataConfig! RegistrationConfig",
        "StartSpeakerEnrollmentJob":
            "ClientToken DataAccessRoleArn! DomainId! EnrollmentConfig InputDataConfig! JobName OutputDataConfig!",
        "TagResource": "ResourceArn! Tags!",
        "UntagResource": "ResourceArn! TagKeys!",
        "UpdateDomain": "Description DomainId! Name! ServerSideEncryptionConfiguration!",
        "UpdateWatchlist": "Description DomainId! Name WatchlistId!",
    ]

    @Test("Members and which of them are required", arguments: inputs.keys.sorted())
    func members(_ name: String) throws {
        let operation = try #require(try builtInCatalog().operations.first { $0.name == name })
        let members = operation.input.map { $0.member + ($0.isRequired ? "!" : "") }
        #expect(members.joined(separator: " ") == Self.inputs[name])
    }

    /// What the model says of a member, wherever it occurs.
    private struct Shape {
        var kind = InputConstraint.Kind.string
        var range: (Int64?, Int64?) = (nil, nil)
        var pattern: String?
        var isSensitive = false
    }

    private static let id = "^[a-zA-Z0-9]{22}$"
    private static let name = "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"
    private static let either = "^(id#[a-zA-Z0-9]{22}|[a-zA-Z0-9][a-zA-Z0-9_-]*)$"
    private static let role = "^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$"
    private static let arn = "^arn:aws(-[^:]+)?:voiceid.+:[0-9]{12}:domain/[a-zA-Z0-9]{22}$"
    private static let shapes = [
        "ClientToken": Shape(range: (1, 64), pattern: "^[a-zA-Z0-9-_]+$"),
        "DataAccessRoleArn": Shape(range: (20, 2048), pattern: role),
        "Description": Shape(range: (1, 1024), pattern: #"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"#, isSensitive: true),
        "DomainId": Shape(range: (22, 22), pattern: id),
        "EnrollmentConfig": Shape(kind: .structure),
        "FraudsterId": Shape(range: (25, 25), pattern: "^id#[a-zA-Z0-9]{22}$", isSensitive: true),
        "InputDataConfig": Shape(kind: .structure),
        "JobId": Shape(range: (22, 22), pattern: id),
        "JobName": Shape(range: (1, 256), pattern: name, isSensitive: true),
        "JobStatus": Shape(),
        "MaxResults": Shape(kind: .integer, range: (1, 100)),
        "Name": Shape(range: (1, 256), pattern: name, isSensitive: true),
        "NextToken": Shape(range: (0, 8192), pattern: #"^\p{ASCII}{0,8192}$"#),
        "OutputDataConfig": Shape(kind: .structure),
        "RegistrationConfig": Shape(kind: .structure),
        "ResourceArn": Shape(range: (1, 1011), pattern: arn),
        "ServerSideEncryptionConfiguration": Shape(kind: .structure),
        "SessionNameOrId": Shape(range: (1, 36), pattern: either),
        "SpeakerId": Shape(range: (1, 256), pattern: either, isSensitive: true),
        "TagKeys": Shape(kind: .list, range: (0, 200)),
        "Tags": Shape(kind: .list, range: (0, 200)),
        "WatchlistId": Shape(range: (22, 22), pattern: id),
    ]

    @Test("Types, bounds, patterns and enumerations of the members")
    func constraints() throws {
        for operation in try builtInCatalog().operations {
            for constraint in operation.input {
                let place = "\(operation.name).\(constraint.member)"
                let shape = try #require(Self.shapes[constraint.member], "\(place)")
                let isDomainList = operation.name == "ListDomains" && constraint.member == "MaxResults"
                #expect(constraint.kind == shape.kind, "\(place)")
                #expect(constraint.minimum == shape.range.0, "\(place)")
                #expect(constraint.maximum == (isDomainList ? 10 : shape.range.1), "\(place)")
                #expect(constraint.pattern?.text == shape.pattern, "\(place)")
                #expect(constraint.isSensitive == shape.isSensitive, "\(place)")
                let statuses = ["SUBMITTED", "IN_PROGRESS", "COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"]
                #expect(constraint.values == (constraint.member == "JobStatus" ? statuses : []), "\(place)")
            }
        }
    }

    /// What is inside the members that hold others, in the notation of `notation`.
    private static let nested = [
        "EnrollmentConfig": "{ExistingEnrollmentAction [SKIP OVERWRITE], FraudDetectionConfig "
            + "{FraudDetectionAction [IGNORE FAIL], RiskThreshold 0-100, WatchlistIds 1-1 of member 22-22 /\(id)/}}",
        "InputDataConfig": "{\(uri)}",
        "OutputDataConfig": "{KmsKeyId 1-2048, \(uri)}",
        "RegistrationConfig":
            "{DuplicateRegistrationAction [SKIP REGISTER_AS_NEW], FraudsterSimilarityThreshold 0-100, "
            + "WatchlistIds 1-1 of member 22-22 /\(id)/}",
        "ServerSideEncryptionConfiguration": "{KmsKeyId! 1-2048}",
        "TagKeys": " 0-200 of member* 1-128 /\(tag)/",
        "Tags": " 0-200 of member {Key!* 1-128 /\(tag)/, Value!* 0-256 /\(tag)/}",
    ]
    private static let uri = #"S3Uri! 0-1024 /^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$/"#
    private static let tag = #"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"#

    /// A constraint's rules in short; "!" marks a required member, "*" a sensitive one.
    private func notation(_ constraint: InputConstraint) -> String {
        let text = constraint.member + (constraint.isRequired ? "!" : "") + (constraint.isSensitive ? "*" : "")
        return text + rules(constraint)
    }

    private func rules(_ constraint: InputConstraint) -> String {
        var text = ""
        if let minimum = constraint.minimum, let maximum = constraint.maximum { text += " \(minimum)-\(maximum)" }
        if let pattern = constraint.pattern { text += " /\(pattern.text)/" }
        if !constraint.values.isEmpty { text += " [\(constraint.values.joined(separator: " "))]" }
        let members = constraint.members.map(notation).joined(separator: ", ")
        switch constraint.kind {
        case .structure: return text + " {\(members)}"
        case .list: return text + " of \(members)"
        default: return text
        }
    }

    @Test("What structures and lists hold")
    func nesting() throws {
        for operation in try builtInCatalog().operations {
            for constraint in operation.input where constraint.kind == .structure || constraint.kind == .list {
                let expected = try #require(Self.nested[constraint.member])
                #expect(rules(constraint).drop { $0 == " " } == expected.drop { $0 == " " }, "\(operation.name)")
            }
        }
    }

    @Test("The page size's default is the documented 100, and ListDomains has none")
    func defaults() throws {
        for operation in try builtInCatalog().operations where operation.kind == .page {
            let place = try #require(operation.input.firstIndex { $0.member == "MaxResults" })
            #expect(operation.defaults[place] == (operation.name == "ListDomains" ? nil : 100), "\(operation.name)")
        }
    }

    @Test("Each operation that names a domain has its pages there, each write that has a token is known to have it")
    func meanings() throws {
        for operation in try builtInCatalog().operations {
            func place(_ member: String) -> Int? { operation.input.firstIndex { $0.member == member } }
            #expect(operation.domain == place("DomainId"), "\(operation.name)")
            #expect(operation.resource == place("ResourceArn"), "\(operation.name)")
            #expect(operation.status == place("JobStatus"), "\(operation.name)")
            #expect(operation.idempotencyToken == place("ClientToken"), "\(operation.name)")
        }
    }
}
