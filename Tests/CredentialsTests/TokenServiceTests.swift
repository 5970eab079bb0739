import AWSProtocol
import Primitives
import TestSupport
import Testing

@testable import Credentials

private let arn = "arn:aws:iam::123456789012:role/jobs"
private let longTerm = AWSCredentials(accessKeyID: "AKIASOURCE", secretAccessKey: "source/secret+")
private let temporary = AWSCredentials(
    accessKeyID: "ASIASOURCE", secretAccessKey: "source2", sessionToken: "source/token+=")

@Suite("The security token service", .timeLimit(.minutes(1)))
struct TokenServiceTests {
    private func service(_ machine: Machine, _ origin: ScriptedOrigin, path: String = "") -> TokenService {
        let surroundings = machine.surroundings(["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:\(origin.port)\(path)"])
        return TokenService(surroundings: surroundings, region: "eu-west-1")
    }

    private func fault(_ body: () throws(CredentialFault) -> AWSCredentials) -> CredentialFault? {
        do throws(CredentialFault) { _ = try body() } catch { return error }
        return nil
    }

    @Test("gives a role to whoever signs for it, with all that was configured", arguments: [longTerm, temporary])
    func assumeRole(source: AWSCredentials) throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [source], now: { clock.now }) { parameters, signer in
            guard signer == source.accessKeyID, parameters["RoleArn"] == arn,
                parameters["RoleSessionName"] == "me@here",
                parameters["ExternalId"] == "a b/ü&=+", parameters["DurationSeconds"] == "900"
            else { return FakeService.refusal("AccessDenied", status: 403) }
            return FakeService.assumed("AssumeRole", "ASIA", clock.text(after: 15 * minute))
        }
        defer { origin.stop() }
        let role = Role(arn: arn, sessionName: "me@here", externalID: "a b/ü&=+", durationSeconds: 900)
        let found = try service(machine, origin).assume(role, with: source)
        #expect(found == FakeService.credentials("ASIA", clock.now + 15 * minute))
        // The endpoint may have a path.
        #expect(try service(machine, origin, path: "/sts/v1?x=y%20z").assume(role, with: source) == found)
    }

    @Test("leaves out what is not configured, and has a name for the session")
    func defaults() throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [longTerm], now: { clock.now }) { parameters, _ in
            parameters.keys.sorted() == ["Action", "RoleArn", "RoleSessionName", "Version"]
                && parameters["RoleSessionName"] == "jobs-proxy"
                ? FakeService.assumed("AssumeRole", "ASIA", clock.text(after: hour))
                : FakeService.refusal("ValidationError", status: 400)
        }
        defer { origin.stop() }
        _ = try service(machine, origin).assume(Role(arn: arn), with: longTerm)
    }

    @Test("is signed for by its own clock if that is far from ours", arguments: [10 * minute, -hour])
    func clock(offset: Int64) throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [longTerm], now: { clock.now + offset }, isDated: true) {
            _, _ in
            FakeService.assumed("AssumeRole", "ASIA", clock.text(after: 2 * hour))
        }
        defer { origin.stop() }
        #expect(try service(machine, origin).assume(Role(arn: arn), with: longTerm).accessKeyID == "ASIA")
        #expect(origin.requests.count == 2)
    }

    @Test("is not believed if its clock is more than a day away")
    func farClock() throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [longTerm], now: { clock.now + 25 * hour }, isDated: true) {
            _, _ in
            FakeService.assumed("AssumeRole", "ASIA", clock.text(after: hour))
        }
        defer { origin.stop() }
        let service = service(machine, origin)
        let fault = fault { () throws(CredentialFault) in try service.assume(Role(arn: arn), with: longTerm) }
        #expect(fault != nil)
        #expect(origin.requests.count == 1)
    }

    @Test("does not believe a wrong secret, a wrong token, or an old signature")
    func wrongSignature() throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [longTerm, temporary], now: { clock.now + 10 * minute }) {
            _, _ in
            FakeService.assumed("AssumeRole", "ASIA", clock.text(after: hour))
        }
        defer { origin.stop() }
        let late = fault { () throws(CredentialFault) in
            try service(machine, origin).assume(Role(arn: arn), with: longTerm)
        }
        #expect(late?.message.hasSuffix("with status 403: SignatureDoesNotMatch") == true)
        clock.advance(0)
        for wrong in [
            AWSCredentials(accessKeyID: "AKIASOURCE", secretAccessKey: "canary"),
            AWSCredentials(accessKeyID: "ASIASOURCE", secretAccessKey: "source2", sessionToken: "canary"),
            AWSCredentials(accessKeyID: "AKIANOBODY", secretAccessKey: "canary"),
        ] {
            let fault = fault { () throws(CredentialFault) in
                try service(machine, origin).assume(Role(arn: arn), with: wrong)
            }
            #expect(fault?.kind == .failed)
            #expect(fault?.message.contains("canary") == false)
        }
    }

    @Test("takes a web identity's token in place of a signature, from a file that is read anew each time")
    func webIdentity() throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(now: { clock.now }) { parameters, signer in
            guard signer == nil, let token = parameters["WebIdentityToken"], token.hasPrefix("eyJ.") else {
                return FakeService.refusal("InvalidIdentityToken", status: 400, message: "canary")
            }
            return FakeService.assumed("AssumeRoleWithWebIdentity", "ASIA" + token.suffix(1), clock.text(after: hour))
        }
        defer { origin.stop() }
        let path = machine.write("token", "eyJ.a_b-c.1\n")
        let source = WebIdentitySource(role: Role(arn: arn), tokenPath: path, service: service(machine, origin))
        #expect(try source.fetch() == FakeService.credentials("ASIA1", clock.now + hour))
        machine.write("token", "eyJ.a_b-c.2")
        #expect(try source.fetch() == FakeService.credentials("ASIA2", clock.now + hour))
        machine.write("token", "canary")
        let refused = try #require(source.fault)
        #expect(
            refused.message
                == "the security token service at http://127.0.0.1:\(origin.port) refused AssumeRoleWithWebIdentity of "
                + "\"\(arn)\" with status 400: InvalidIdentityToken")
        machine.write("token", "two\nlines")
        #expect(source.fault == .failed("the web identity token file \"\(path)\" holds no token"))
        machine.write("token", "")
        #expect(source.fault == .failed("the web identity token file \"\(path)\" holds no token"))
        let nowhere = WebIdentitySource(
            role: Role(arn: arn), tokenPath: "/nowhere", service: service(machine, origin))
        #expect(nowhere.fault == .failed("the web identity token file \"/nowhere\" does not exist"))
    }

    @Test(
        "that answers with anything else is a failure without a word of its content",
        arguments: [
            (FakeService.Step.reply(body: "canary"), "status 200, is not XML (byte 0)"),
            (.reply(status: 400, body: "<html>canary"), "status 400, is not XML (byte 12)"),
            (.reply(body: "<a>canary</a>"), "has no AccessKeyId"),
            (.reply(status: 403, body: "<a>canary</a>"), "with status 403"),
            (.reply(status: 302, fields: [("Location", "/canary")], body: "<a/>"), "with status 302"),
            (FakeService.refusal("can ary", status: 403), "with status 403"),
            (FakeService.refusal("AccessDenied", status: 403, message: "canary"), "with status 403: AccessDenied"),
            (FakeService.assumed("AssumeRole", "A", "canary"), "is no time in ISO 8601, such as 2025-01-31T12:00:00Z"),
            (FakeService.assumed("AssumeRole", "A", ""), "lacks a SessionToken or an Expiration"),
            (FakeService.assumed("AssumeRole", "A&#13;&#10;canary", "2023-11-14T22:13:20Z"), "the AccessKeyId of"),
            (FakeService.assumed("AssumeRoleWithWebIdentity", "A", "2023-11-14T22:13:20Z"), "has no AccessKeyId"),
            (.reply(status: 500, body: "<a/>"), "with status 500"),
            (
                .cutShort(after: 10, body: String(repeating: "canary", count: 9)),
                "did not answer: the reply was cut short"
            ),
            (.reply(body: String(repeating: " ", count: 70_000)), "did not answer: the reply's body is too large"),
        ])
    func malformed(step: FakeService.Step, message: String) throws {
        let machine = try Machine()
        let clock = machine.clock
        let origin = try FakeService.tokenService(keys: [longTerm], now: { clock.now }) { _, _ in step }
        defer { origin.stop() }
        let fault = fault { () throws(CredentialFault) in
            try service(machine, origin).assume(Role(arn: arn), with: longTerm)
        }
        #expect(fault?.kind == .failed)
        #expect(fault?.message.contains(message) == true, "\(fault?.message ?? "")")
        #expect(fault?.message.contains("canary") == false)
    }

    @Test(
        "is asked in the Region, in its partition's domain",
        arguments: [
            ("us-east-1", "https://sts.us-east-1.amazonaws.com"),
            ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
            ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
            ("us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov"),
            ("eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu"),
        ])
    func endpoints(region: String, url: String) throws {
        let service = TokenService(surroundings: try Machine().surroundings(), region: region)
        #expect(try service.endpoint().origin == url)
    }

    @Test("is asked elsewhere if that is configured, for it before for all services, unless it is to be ignored")
    func overrides() throws {
        let variables = ["AWS_ENDPOINT_URL": "http://all.example", "AWS_ENDPOINT_URL_STS": "http://sts.example:81"]
        func origin(_ change: (inout [String: String]) -> Void) throws -> String {
            var variables = variables
            change(&variables)
            return try TokenService(surroundings: try Machine().surroundings(variables), region: "eu-west-1").endpoint()
                .origin
        }
        #expect(try origin { _ in } == "http://sts.example:81")
        #expect(try origin { $0["AWS_ENDPOINT_URL_STS"] = nil } == "http://all.example")
        #expect(
            try origin { $0["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true" } == "https://sts.eu-west-1.amazonaws.com")
        #expect(throws: CredentialFault.self) { try origin { $0["AWS_ENDPOINT_URL_STS"] = "sts.example" } }
    }

    @Test("is not looked for under a name that is no Region's", arguments: ["a.evil", "A", "a/b", "a@b", "a b"])
    func noRegion(region: String) throws {
        let service = TokenService(surroundings: try Machine().surroundings(), region: region)
        #expect(throws: CredentialFault.failed("\"\(region)\" is no Region's name")) { try service.endpoint() }
    }
}
