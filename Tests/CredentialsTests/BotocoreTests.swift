import AWSProtocol
import Foundation
import Primitives
import TestSupport
import Testing

@testable import Credentials

@Suite("What botocore finds", .timeLimit(.minutes(2)))
struct BotocoreTests {
    /// The credentials that botocore finds with these variables. `Scripts/setup --tests` installs botocore.
    private func botocore(_ machine: Machine, _ variables: [String: String]) throws -> AWSCredentials {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let root = folder.deletingLastPathComponent().deletingLastPathComponent()
        var environment = machine.surroundings(variables).variables
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        environment["PATH"] = "\(root.path)/.venv/bin:\(path)"
        environment["HOME"] = machine.home
        environment["AWS_DEFAULT_REGION"] = "eu-west-1"
        let output = try ChildProcess(timeout: 60 * second, maxBytes: 100_000).output(
            of: ["/usr/bin/env", "python3", folder.path + "/SDK/find.py"], environment: environment)
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        guard lines.count == 4 else { throw Unexpected(lines: lines.count) }
        return AWSCredentials(
            accessKeyID: lines[0], secretAccessKey: lines[1], sessionToken: lines[2] == "-" ? nil : lines[2],
            expiration: Int64(lines[3]).map(WallInstant.init(seconds:)))
    }

    private struct Unexpected: Error { let lines: Int }

    private func same(_ machine: Machine, _ variables: [String: String]) throws -> AWSCredentials {
        let ours = try DefaultChain(surroundings: machine.surroundings(variables), region: "eu-west-1").fetch()
        #expect(ours == (try botocore(machine, variables)))
        return ours
    }

    /// The fake services use the real clock, because botocore does.
    private func machine() throws -> Machine {
        let machine = try Machine()
        machine.clock.advance(WallInstant(seconds: Surroundings.wallClock().seconds) - machine.clock.now)
        return machine
    }

    @Test(
        "is what we find: in the environment and the files",
        arguments: [
            (["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"], "", "", "A"),
            ([:], "[default]\naws_access_key_id = C\naws_secret_access_key = s\n", "", "C"),
            (
                [:], "[default]\naws_access_key_id = C\naws_secret_access_key = s\n",
                "[default]\naws_access_key_id = K\naws_secret_access_key = s=\naws_session_token = t\n", "K"
            ),
            (
                ["AWS_PROFILE": "x y"],
                "# c\n[profile 'x y']\n  aws_access_key_id = C\n  AWS_SECRET_ACCESS_KEY = s\n  s3 =\n    a = b\n", "",
                "C"
            ),
            (
                ["AWS_PROFILE": "x"],
                "[profile x]\naws_access_key_id = C\naws_secret_access_key = s\n"
                    + "credential_process = /bin/echo \"{\\\"Version\\\":1,\\\"AccessKeyId\\\":\\\"P\\\",\" "
                    + "'\"SecretAccessKey\":\"s s\"}'\n".replacing("s s", with: "s"), "", "P"
            ),
        ] as [([String: String], String, String, String)])
    func files(variables: [String: String], config: String, credentials: String, id: String) throws {
        let machine = try machine()
        machine.write(".aws/config", config)
        machine.write(".aws/credentials", credentials)
        #expect(try same(machine, variables).accessKeyID == id)
    }

    @Test("is what we find: from a container's endpoint")
    func container() throws {
        let machine = try machine()
        let end = machine.clock.text(after: hour)
        let origin = try FakeService.container(authorization: { "token" }) {
            .reply(body: FakeService.document("ASIA", end))
        }
        defer { origin.stop() }
        let found = try same(
            machine,
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": machine.write("token", "token"),
            ])
        #expect(found.accessKeyID == "ASIA")
    }

    @Test("is what we find: from the instance metadata service")
    func metadata() throws {
        let machine = try machine()
        let end = machine.clock.text(after: 6 * hour)
        let origin = try FakeService.metadata { .reply(body: FakeService.document("ASIA", end)) }
        defer { origin.stop() }
        let found = try same(
            machine,
            [
                "AWS_EC2_METADATA_DISABLED": "false",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(origin.port)",
            ])
        #expect(found.accessKeyID == "ASIA")
    }

    @Test("is what we find: roles, through other roles, and through a web identity")
    func roles() throws {
        let machine = try machine()
        let clock = machine.clock
        machine.write(
            ".aws/config",
            """
            [profile keys]
            aws_access_key_id = AKIA
            aws_secret_access_key = s
            [profile one]
            role_arn = arn:aws:iam::123456789012:role/one
            source_profile = keys
            [profile two]
            role_arn = arn:aws:iam::123456789012:role/two
            source_profile = one
            role_session_name = me
            external_id = a b&c
            duration_seconds = 900
            [profile web]
            role_arn = arn:aws:iam::123456789012:role/web
            web_identity_token_file = \(machine.write("token", "eyJ.a.b"))
            """)
        let keys = [AWSCredentials(accessKeyID: "AKIA", secretAccessKey: "s"), FakeService.credentials("ASIAone", nil)]
        let origin = try FakeService.tokenService(keys: keys, now: { clock.now }) { parameters, signer in
            let name = parameters["RoleArn"]?.split(separator: "/").last ?? ""
            if name == "two" {
                guard signer == "ASIAone", parameters["ExternalId"] == "a b&c", parameters["DurationSeconds"] == "900",
                    parameters["RoleSessionName"] == "me"
                else { return FakeService.refusal("AccessDenied", status: 403) }
            }
            return FakeService.assumed(parameters["Action"] ?? "", "ASIA\(name)", clock.text(after: hour))
        }
        defer { origin.stop() }
        for name in ["one", "two", "web"] {
            let found = try same(
                machine, ["AWS_PROFILE": name, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:\(origin.port)"])
            #expect(found.accessKeyID == "ASIA" + name)
        }
    }
}
