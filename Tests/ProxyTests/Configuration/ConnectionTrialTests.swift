import Foundation
import TestSupport
import Testing

@testable import JobsProxy

/// What `check --connect` says of what it tries, on loopback.
@Suite("What check --connect tries", .timeLimit(.minutes(1)))
struct ConnectionTrialTests {
    private static let keys = ["AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "very/secret+key"]

    private func results(_ yaml: String, _ environment: [String: String] = keys) async throws -> [TrialResult] {
        let file = try #require(configuration(yaml))
        // A home directory without shared files, and no metadata service.
        let environment = ["HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"].merging(environment) { $1 }
        let results = await ConnectionTrials(
            configuration: file, environment: environment, now: Process.wallClock()
        ).results()
        for result in results { #expect(!"\(result)".contains("very/secret")) }
        return results
    }

    private func service(_ url: String, _ more: String = "") -> String {
        "services: [{catalog: voice-id, endpoint: \"\(url)\"\(more)}]\n"
    }

    @Test("An endpoint connects, over the HTTP that TLS agrees on, and gets no request")
    func secure() async throws {
        let certificate = try OriginCertificate()
        try await ScriptedOrigin.run({ _, _ in .reply() }) { origin in
            for (protocols, words) in [(["h2"], ", HTTP/2"), (["http/1.1"], ", HTTP/1.1"), ([], "")] {
                let front = try await SecureFront(origin: origin.port, certificate, protocols: protocols)
                let results = try await results(
                    service(front.url, ", caBundle: \"\(certificate.certificate)\""))
                #expect(results.first?.kind == .ok)
                #expect(results.first?.subject == "voice-id endpoint")
                #expect(results.first?.text.hasPrefix("\(front.url) connects in ") == true)
                #expect(results.first?.text.hasSuffix(" ms, its certificate is good\(words)") == true)
                try await front.stop()
            }
            // The preface of HTTP/2 looks like requests to an origin that speaks HTTP/1.1 (RFC 9113, section 3.4).
            #expect(origin.requests.allSatisfy { ["PRI", "SM"].contains($0.method) })
        }
    }

    @Test("A certificate that cannot be verified is an error in words")
    func unverified() async throws {
        let (good, other) = (try OriginCertificate(), try OriginCertificate("DNS:elsewhere"))
        let old = try OriginCertificate(isExpired: true)
        try await ScriptedOrigin.run({ _, _ in .reply() }) { origin in
            for (shown, trusted, words) in [
                (good, other, "certificate is signed by an unknown authority"),
                (other, other, "certificate is for another name"), (old, old, "certificate has expired"),
            ] {
                let front = try await SecureFront(origin: origin.port, shown)
                let results = try await results(service(front.url, ", caBundle: \"\(trusted.certificate)\""))
                #expect(results.first == TrialResult(.error, "voice-id endpoint", "\(front.url): \(words)"))
                try await front.stop()
            }
        }
    }

    @Test("A port that nobody listens on, a name that is not known, and silence are errors in words")
    func unreachable() async throws {
        let port = try ScriptedOrigin { _, _ in .close }
        port.stop()
        let refused = try await results(service("http://127.0.0.1:\(port.port)"))
        #expect(
            refused.first
                == TrialResult(.error, "voice-id endpoint", "http://127.0.0.1:\(port.port): connection refused"))
        let unknown = try await results(service("https://nowhere.invalid"))
        #expect(unknown.first?.text == "https://nowhere.invalid: the name is not known")
        let origin = try ScriptedOrigin(onAccept: { _ in .stall }, script: { _, _ in .close })
        defer { origin.stop() }
        let url = "https://127.0.0.1:\(origin.port)"
        let silent = try await results(service(url, ", timeouts: {connect: 200ms}"))
        #expect(silent.first == TrialResult(.error, "voice-id endpoint", "\(url): timed out after 200 ms"))
    }

    @Test("Credentials are fetched as the gateway does, and told by their source and end")
    func credentials() async throws {
        let url = "https://localhost:1"
        let permanent = try await results(service(url))
        #expect(
            permanent[1]
                == TrialResult(
                    .ok, "voice-id credentials", "AKIAEXAMPLE of the environment, without an end that is known"))
        let dated = Self.keys.merging(["AWS_CREDENTIAL_EXPIRATION": "2020-01-01T00:00:00Z"]) { $1 }
        let ended = try await results(service(url), dated)
        #expect(ended[1].kind == .error)
        #expect(ended[1].text.contains("which ended at 2020-01-01T00:00:00"))
        let none = try await results(service(url), [:])
        #expect(none.count == 2)
        #expect(none[1].kind == .error)
        #expect(none[1].text.hasPrefix("no credentials were found: AWS_ACCESS_KEY_ID is not set"))
        // What goes to this machine in the clear may go unsigned.
        #expect(try await results(service("http://127.0.0.1:1"), [:])[1].kind == .warning)
        let given = ", credentials: {accessKeyId: AKIAGIVEN, secretAccessKey: {env: GIVEN}}"
        #expect(
            try await results(service(url, given), ["GIVEN": "very/secret"])[1].text
                == "AKIAGIVEN of the configuration, without an end that is known")
    }

    @Test(
        "Whose they are is asked of the token service; a refusal of the credentials alone is an error",
        arguments: [
            (200, "", TrialResult(.ok, "voice-id identity", "arn:aws:iam::123456789012:user/jobs")),
            (
                403, "InvalidClientTokenId",
                TrialResult(.error, "voice-id identity", "AWS does not accept the credentials: InvalidClientTokenId")
            ),
            (
                403, "SignatureDoesNotMatch",
                TrialResult(.error, "voice-id identity", "AWS does not accept the credentials: SignatureDoesNotMatch")
            ),
            (
                403, "ExpiredToken",
                TrialResult(.error, "voice-id identity", "AWS does not accept the credentials: ExpiredToken")
            ),
        ])
    func identity(status: Int, code: String, expected: TrialResult) async throws {
        try await ScriptedOrigin.run({ _, _ in Self.tokenService(status, code) }) { origin in
            let environment = Self.keys.merging(["AWS_ENDPOINT_URL_STS": origin.url]) { $1 }
            let results = try await results(service("https://localhost:1"), environment)
            #expect(results.count == 3)
            #expect(results.last == expected)
            let request = try #require(origin.requests.first)
            #expect(request.text == "Action=GetCallerIdentity&Version=2011-06-15")
            #expect(request["Authorization"]?.contains("Credential=AKIAEXAMPLE/") == true)
            #expect(request["Authorization"]?.contains("/us-east-1/sts/aws4_request") == true)
        }
    }

    private static func tokenService(_ status: Int, _ code: String) -> ScriptedOrigin.Step {
        let arn = "arn:aws:iam::123456789012:user/jobs"
        return .reply(
            status: status,
            body: status == 200
                ? "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>\(arn)</Arn><UserId>AIDA</UserId>"
                    + "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                : "<ErrorResponse><Error><Code>\(code)</Code><Message>no</Message></Error></ErrorResponse>")
    }

    @Test("A denial, or a token service that is not reached, says nothing of the credentials: a warning")
    func unknown() async throws {
        try await ScriptedOrigin.run({ _, _ in Self.tokenService(403, "AccessDenied") }) { origin in
            let environment = Self.keys.merging(["AWS_ENDPOINT_URL": origin.url]) { $1 }
            let last = try await results(service("https://localhost:1"), environment).last
            #expect(last?.kind == .warning)
            #expect(last?.text.hasSuffix("answers with status 403 (AccessDenied)") == true)
        }
        let environment = Self.keys.merging(["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"]) { $1 }
        let last = try await results(service("https://localhost:1"), environment).last
        #expect(last?.kind == .warning)
        #expect(last?.text.contains("the security token service at http://127.0.0.1:1 did not answer") == true)
    }

    @Test("What needs no trial is skipped, with the reason")
    func skipped() async throws {
        let sandbox = try await results("services: [{catalog: voice-id}]\n")
        #expect(sandbox.map(\.kind) == [.skipped, .skipped])
        let elsewhere = try await results(service("http://127.0.0.1:1"))
        #expect(elsewhere.last?.kind == .skipped)
        #expect(elsewhere.last?.text.hasPrefix("the endpoint is not AWS's; AWS_ENDPOINT_URL_STS names") == true)
        let passed = try await results(service("http://127.0.0.1:1", ", signing: passthrough"))
        #expect(passed.last == TrialResult(.skipped, "voice-id credentials", "callers' signatures are passed on"))
    }

    @Test("A collector of traces that is not reached is a warning: the gateway serves without it")
    func collector() async throws {
        let results = try await results("tracing: {endpoint: \"http://127.0.0.1:1/v1/traces\"}\n")
        #expect(
            results.last
                == TrialResult(.warning, "tracing endpoint", "http://127.0.0.1:1/v1/traces: connection refused"))
    }

    // MARK: The command

    @Test("The command prints a line for each trial, exits with 1 for an error, and with --strict for a warning")
    func command() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        func check(_ yaml: String, _ arguments: String...) async throws -> (status: Int32, output: String?) {
            try yaml.write(toFile: file, atomically: true, encoding: .utf8)
            let program = try TestProgram.start(["check", "--config", file] + arguments)
            let output = await program.output(upTo: "END")
            return (await program.exitStatus(), output)
        }
        #expect(try await check("{}").status == 0)
        #expect(try await check("{}", "--strict", "--connect").status == 0)
        let unknown = "cache: {ttl: {status: {COMPLETE: 1m}}}\n"
        #expect(try await check(unknown).status == 0)
        #expect(try await check(unknown, "--strict").status == 1)
        let refused = service("http://127.0.0.1:1")
        #expect(try await check(refused).status == 0)
        #expect(try await check(refused, "--connect").status == 1)
    }
}
