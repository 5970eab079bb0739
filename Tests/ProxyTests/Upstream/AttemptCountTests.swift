import Gateway
import NIOTestSupport
import PageCache
import TestSupport
import Testing

@testable import JobsProxy

/// What is sent again, and how often; and that the service's own last error reaches the client unchanged.
@Suite("Attempts are counted exactly", .timeLimit(.minutes(1)))
struct AttemptCountTests {
    /// A way to say that something went wrong.
    struct Spelling: Sendable, CustomTestStringConvertible {
        let status: Int
        let header: String?
        let body: String
        /// Whether it may be sent again at all.
        let isRetried: Bool

        init(_ status: Int, _ body: String, header: String? = nil, isRetried: Bool = true) {
            (self.status, self.header, self.body, self.isRetried) = (status, header, body, isRetried)
        }

        var testDescription: String { "\(status) \(header ?? "-") \(body)" }

        var step: ScriptedOrigin.Step {
            .reply(status: status, fields: header.map { [("x-amzn-ErrorType", $0)] } ?? [], body: body)
        }
    }

    static let spellings = [
        Spelling(500, #"{"__type":"InternalServerException","Message":"m"}"#),
        Spelling(500, #"{"__type":"com.amazonaws.voiceid#InternalServerException","Message":"m"}"#),
        Spelling(
            500, "{}", header: "InternalServerException:http://internal.amazon.com/coral/com.amazon.coral.service/"),
        Spelling(400, #"{"code":"com.amazon.coral.service#InternalFailure:http://x/"}"#),
        Spelling(400, #"{"Message":"m"}"#, header: "com.amazonaws.voiceid#InternalServerException"),
        Spelling(400, #"{"__type":"x#ValidationException"}"#, header: "ServiceUnavailable"),
        Spelling(408, #"{"__type":"RequestTimeoutException"}"#),
        Spelling(200, #"{"__type":"InternalServerException"}"#),
        Spelling(503, "<html><body>Service Unavailable</body></html>"),
        Spelling(502, ""),
        Spelling(504, #"{"__type":"SomethingNew"}"#),
        Spelling(400, #"{"__type":"RequestTimeout"}"#),
        Spelling(400, #"{"__type":"com.amazonaws.voiceid#ThrottlingException"}"#, isRetried: false),
        Spelling(500, #"{"__type":"ThrottlingException"}"#, isRetried: false),
        Spelling(429, "", isRetried: false),
        Spelling(400, #"{"__type":"InternalFailure"}"#, header: "ValidationException", isRetried: false),
        Spelling(500, #"{"__type":"x#ValidationException"}"#, isRetried: false),
        Spelling(404, "<html>", isRetried: false),
        Spelling(501, "", isRetried: false),
        Spelling(200, #"{"__type":"SomethingNew"}"#, isRetried: false),
    ]

    enum Kind: String, CaseIterable, Sendable {
        case read
        case writeWithToken = "write with its token"
        case writeWithout = "write without"

        var operation: String { self == .read ? "ListFraudsterRegistrationJobs" : "CreateWatchlist" }

        func body(_ domain: Character) -> String {
            switch self {
            case .read: query(domain: domain)
            case .writeWithToken: query(domain: domain, more: #","Name":"n","ClientToken":"t-1""#)
            case .writeWithout: query(domain: domain, more: #","Name":"n""#)
            }
        }
    }

    /// No pauses to speak of, and neither budget nor breaker in the way.
    static let retry = """
        retry: {baseDelay: 1ms, maxDelay: 2ms, budget: {ratio: 1, reserve: 1000}}
        breaker: {failures: 1000}

        """

    @Test("whatever the spelling of the error, and whatever is asked", arguments: Kind.allCases)
    func counts(_ kind: Kind) async throws {
        // Each spelling is the answer to a domain of its own.
        let domains = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".prefix(Self.spellings.count)
        let answers = zip(domains.map { String(repeating: $0, count: 22) }, Self.spellings).map { ($0, $1.step) }
        #expect(answers.count >= 20)
        let script: @Sendable (ScriptedOrigin.Request, Int) -> ScriptedOrigin.Step = { request, _ in
            answers.first { request.text.contains($0.0) }?.1 ?? .close
        }
        try await ScriptedOrigin.run(script) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + Self.retry) { gateway in
                for (domain, spelling) in zip(domains, Self.spellings) {
                    let before = origin.requests.count
                    let reply = try await gateway.call(kind.operation, kind.body(domain))
                    let attempts = origin.requests.dropFirst(before)
                    #expect(attempts.count == (spelling.isRetried && kind != .writeWithout ? 3 : 1), "\(spelling)")
                    // The same bytes each time, and the service's own error to the client.
                    #expect(Set(attempts.map(\.text)).count == 1)
                    // SDKs look for errors under other statuses only.
                    #expect(reply.status == (spelling.status == 200 ? 500 : spelling.status), "\(spelling)")
                    #expect(reply.text == spelling.body)
                    if let header = spelling.header { #expect(reply.fields["x-amzn-errortype"] == header) }
                }
                #expect(gateway.assembly.gate.cache.figures.pages == 0)
                #expect(gateway.assembly.gate.cache.figures.flights == 0)
            }
        }
    }

    @Test("the last error is the one that reaches the client, if they differ")
    func last() async throws {
        try await ScriptedOrigin.run({ _, index in
            [Self.spellings[0], Self.spellings[8], Self.spellings[3]][min(index, 2)].step
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + Self.retry) { gateway in
                let reply = try await gateway.page(query())
                #expect(origin.requests.count == 3)
                #expect(reply.status == 400)
                #expect(reply.text == Self.spellings[3].body)
            }
        }
    }
}

/// No retries "when `amz-sdk-request` says that every waiting client is already retrying (attempt ≥ 2)".
@Suite("Who tries again already", .timeLimit(.minutes(1)))
struct ClientRetryTests {
    private static func ask(
        _ gateway: TestGateway, _ operation: String, _ body: String, sdk: String?
    ) async throws -> HTTPReply {
        let client = try await gateway.client()
        let field = sdk.map { "amz-sdk-request: \($0)\r\n" } ?? ""
        let reply = try await client.send(
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: VoiceID.\(operation)\r\n\(field)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        try await client.close()
        return reply
    }

    private static let announcements: [(String?, Int)] = [
        (nil, 3), ("attempt=1", 3), ("attempt=1; max=3", 3), ("ttl=20990101T000000Z; attempt=1; max=3", 3),
        ("attempt=2; max=3", 1), ("ttl=20990101T000000Z; attempt=2; max=3", 1), ("max=3;ATTEMPT=3", 1),
        ("attempt=10", 1), ("attempt=99999999999999999999999", 1), ("attempt=01", 3), ("attempt=0", 3),
        ("attempt=", 3), ("attempt=x", 3), ("attempt=-2", 3), ("attempt=2x", 3), ("xattempt=2", 3), ("attempt", 3),
        (";;;", 3), ("", 3),
    ]

    @Test("is not tried again for", arguments: [AttemptCountTests.Kind.read, .writeWithToken])
    func alone(_ kind: AttemptCountTests.Kind) async throws {
        try await ScriptedOrigin.run({ _, _ in .reply(status: 500, body: "{}") }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + AttemptCountTests.retry) { gateway in
                for (sdk, attempts) in Self.announcements {
                    let before = origin.requests.count
                    let reply = try await Self.ask(gateway, kind.operation, kind.body("A"), sdk: sdk)
                    #expect(reply.status == 500)
                    #expect(origin.requests.count - before == attempts, "\(sdk ?? "nothing")")
                }
            }
        }
    }

    @Test(
        "with others who wait for the same page, if all of them do",
        arguments: [
            (["attempt=2", "attempt=3"], 1), (["attempt=2", "attempt=1"], 3), (["attempt=1", "attempt=2"], 3),
        ])
    func together(_ sdk: [String], _ attempts: Int) async throws {
        let release = Latch()
        try await ScriptedOrigin.run({ _, _ in
            release.wait()
            return .reply(status: 500, body: "{}")
        }) { origin in
            try await TestGateway.run(TestGateway.service(origin.url) + AttemptCountTests.retry) { gateway in
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for (number, announcement) in sdk.enumerated() {
                        group.addTask {
                            try await Self.ask(
                                gateway, "ListFraudsterRegistrationJobs", query(), sdk: announcement
                            ).status
                        }
                        // The second joins the flight of the first.
                        let cache = gateway.assembly.gate.cache
                        #expect(await eventually { cache.figures.waiters == number + 1 })
                    }
                    release.open()
                    for try await status in group { #expect(status == 500) }
                }
                #expect(origin.requests.count == attempts)
            }
        }
    }
}
