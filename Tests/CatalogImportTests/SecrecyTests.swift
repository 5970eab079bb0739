import Testing

@testable import CatalogImport

@Suite("Outputs that must not be kept")
struct SecrecyTests {
    @Test(
        "Secrets, and what is good once or for a short time, by the names of members",
        arguments: [
            "Password", "masterUserPassword", "dbPassword", "RandomPassword", "SecretString", "SecretBinary",
            "secretAccessKey",
            "SecretKey", "AccessKeyId", "accessKeyId", "privateKey", "MacKey", "activationKey", "APIKey",
            "ClientSecretValue",
            "taskToken", "AuthToken", "SessionToken", "authorizationToken", "LockToken", "UpdateToken", "ChangeToken",
            "token",
            "ShardIterator", "NextShardIterator", "ReceiptHandle", "TaskHandle", "nextForwardToken",
            "NextRecordsIterator",
            "PresignedUrl", "PreSignedLogUrl", "PresignedURL", "downloadUrl", "FileUploadURL", "SnapshotDownloadUrl",
            "UnlockCode", "RegistrationCode", "AuthorizationCode", "Credentials", "credential", "Ticket", "nonce",
            "Plaintext",
            "PlayerGatewayToken", "patternTokens", "SecretToken", "HECToken", "JWT",
        ])
    func secrets(_ name: String) { #expect(Secrecy.isToken(name, holdsText: true)) }

    @Test(
        "Members that only say something about a secret, or that callers choose, are none",
        arguments: [
            "SecretArn", "secretARN", "SecretId", "PasswordPolicy", "TokenType", "TokenEndpoint", "CredentialId",
            "clientRequestToken", "ClientToken", "IdempotencyToken", "TicketId", "KmsKeyId", "Name", "JobStatus",
            "S3Uri", "QueueUrl",
            "Key", "TagKey", "ErrorCode", "StatusCode", "PrimarySecretARN", "credentialProvider", "SecretVersionStages",
        ])
    func harmless(_ name: String) { #expect(!Secrecy.isToken(name, holdsText: true)) }

    @Test("Numbers, dates and structures are no secrets by their names")
    func others() { #expect(!Secrecy.isToken("BillableTokenCount", holdsText: false)) }

    @Test("An address that its documentation calls signed is one")
    func documentation() {
        #expect(Secrecy.isToken("url", holdsText: true, documentation: "<p>The presigned Amazon S3 URL.</p>"))
        #expect(Secrecy.isToken("location", holdsText: true, documentation: "A Pre-Signed address."))
        #expect(!Secrecy.isToken("url", holdsText: true, documentation: "<p>The page of the product.</p>"))
    }

    @Test(
        "Operations that get a secret or a signed address",
        arguments: [
            ("GetSessionToken", true), ("GetRandomPassword", true), ("GetDashboardUrl", true), ("GetJobManifest", true),
            ("GetAttachmentDownloadLink", true), ("GetQueueUrl", false), ("ListSecrets", false), ("GetJob", false),
            ("GetPasswordPolicy", false), ("DescribeSecret", false),
        ])
    func operations(_ name: String, _ isToken: Bool) { #expect(Secrecy.isToken(operation: name) == isToken) }

    @Test(
        "Words of names",
        arguments: [
            ("GetShardIterator", "get shard iterator"), ("nextToken", "next token"), ("S3URI", "s3 uri"),
            ("DBInstance", "db instance"), ("listURLs", "list urls"), ("PresignedURL", "presigned url"),
            ("secretARN", "secret arn"),
            ("snake_case", "snake case"), ("", ""), ("A", "a"), ("ECSTask2Id", "ecs task2 id"), ("JWTs", "jwts"),
        ])
    func words(_ name: String, _ words: String) { #expect(Words(name).all.joined(separator: " ") == words) }
}

@Suite("The names of operations")
struct OperationVerbTests {
    @Test(
        "A read is true for a while, a look for its moment, and all others may change something",
        arguments: [
            ("ListJobs", "reads"), ("DescribeJob", "reads"), ("GetJob", "reads"), ("BatchGetJobs", "reads"),
            ("AdminGetUser", "reads"), ("BatchDescribeThings", "reads"), ("Query", "looks"), ("ScanItems", "looks"),
            ("SearchJobs", "looks"), ("FilterLogEvents", "looks"), ("LookupEvents", "looks"),
            ("SelectResourceConfig", "looks"),
            ("IsAuthorized", "looks"), ("BatchIsAuthorized", "looks"), ("DetectSentiment", "looks"),
            ("CountOpenExecutions", "looks"),
            ("CheckAccess", "looks"), ("EstimateCost", "looks"), ("SimulatePolicy", "looks"),
            ("PreviewAgents", "looks"),
            ("PollForActivityTask", "looks"), ("ReceiveMessage", "looks"), ("GetRecords", "looks"),
            ("GetItem", "looks"),
            ("GetExecutionHistory", "looks"), ("ListRecordHistory", "reads"),
            ("IssueCertificate", "changes"), ("CheckInLicense", "changes"), ("CheckOutLicense", "changes"),
            ("CheckoutLicense", "changes"), ("StartQuery", "changes"),
            ("Listen", "changes"),
            ("GetawayStart", "changes"), ("TagResource", "changes"), ("", "changes"),
        ])
    func verbs(_ name: String, _ expected: String) {
        #expect("\(OperationVerb(.init(name: name)))" == expected)
    }

    @Test(
        "An operation whose documentation begins by saying that it makes something may change something",
        arguments: [
            ("GetId", "<p>Generates (or retrieves) IdentityID.</p>", "changes"),
            ("GetOpenIdToken", "<p>Registers (or retrieves) an id.</p>", "changes"),
            ("GetRecommendation", "<p>Starts a job.</p>", "changes"),
            ("ListModels", "<p>Generates a list.</p>", "reads"),
            ("GetJob", "<p>Gets a job. Starts nothing.</p>", "reads"),
        ])
    func documented(_ name: String, _ documentation: String, _ expected: String) {
        #expect("\(OperationVerb(.init(name: name, documentation: documentation)))" == expected)
    }

    @Test("The model's word that an operation only reads is taken where its name says nothing")
    func readOnly() {
        #expect("\(OperationVerb(.init(name: "ValidateThing", isReadOnly: true)))" == "looks")
        #expect("\(OperationVerb(.init(name: "ListThings", isReadOnly: true)))" == "reads")
    }
}

@Suite("The default of a page size, in its documentation")
struct DocumentedDefaultTests {
    @Test(
        "is the number that it states once",
        arguments: [
            ("<p>The maximum number. The default is 100; the maximum is also 100.</p>", 100), ("Default: 20", 20),
            ("The default value is <code>25</code>.", 25), ("This value defaults to 10.", 10),
            ("Default is 1,000.", 1000),
            ("The default is 10. If you specify 0, Config uses the default.", 10),
            ("The default number of results is 50", 50),
            ("The default is 10. For others the default is 20.", nil), ("the operation uses a default page size.", nil),
            ("The default is the current version.", nil), ("Valid values are 1 to 100.", nil), ("", nil),
            ("By default, a page has at most 5 of the 100 results.", nil),
            ("The default is 99999999999999999999.", nil),
        ] as [(String, Int64?)])
    func numbers(_ text: String, _ number: Int64?) { #expect(DocumentedDefault.pageSize(text) == number) }
}
