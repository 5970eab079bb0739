import AWSProtocol
import Glibc
import Primitives
import TestSupport
import Testing

@testable import Credentials

@Suite("Profiles", .timeLimit(.minutes(1)))
struct ProfileSourceTests {
    private func source(_ machine: Machine, _ variables: [String: String] = [:]) -> ProfileSource {
        ProfileSource(surroundings: machine.surroundings(variables), region: "eu-west-1")
    }

    private func machine(config: String? = nil, credentials: String? = nil) throws -> Machine {
        let machine = try Machine()
        if let config { machine.write(".aws/config", config) }
        if let credentials { machine.write(".aws/credentials", credentials) }
        return machine
    }

    private func expect(_ machine: Machine, _ variables: [String: String], _ id: String) throws {
        let found = try source(machine, variables).fetch()
        #expect(found.accessKeyID == id)
    }

    // MARK: Which profile, which file

    @Test(
        "the profile is the one that AWS_PROFILE names, else the default one; the credentials file comes first",
        arguments: [
            ("[default]\naws_access_key_id=A\naws_secret_access_key=s", nil, nil, "A"),
            (nil, "[default]\naws_access_key_id=B\naws_secret_access_key=s", nil, "B"),
            (
                "[default]\naws_access_key_id=A\naws_secret_access_key=s",
                "[default]\naws_access_key_id=B\naws_secret_access_key=s", nil, "B"
            ),
            ("[profile x]\naws_access_key_id=A\naws_secret_access_key=s", nil, "x", "A"),
            ("[profile \"x y\"]\naws_access_key_id=A\naws_secret_access_key=s", nil, "x y", "A"),
            (nil, "[x]\naws_access_key_id=B\naws_secret_access_key=s", "x", "B"),
            (
                "[default]\naws_access_key_id=A\naws_secret_access_key=s\n"
                    + "[profile default]\naws_access_key_id=B\naws_secret_access_key=s", nil, nil, "B"
            ),
            (
                "[profile default]\naws_access_key_id=B\naws_secret_access_key=s\n"
                    + "[default]\naws_access_key_id=A\naws_secret_access_key=s", nil, nil, "B"
            ),
            ("[profile x]\nregion=r", "[x]\naws_access_key_id=B\naws_secret_access_key=s", "x", "B"),
        ] as [(String?, String?, String?, String)])
    func keys(config: String?, credentials: String?, profile: String?, id: String) throws {
        let machine = try machine(config: config, credentials: credentials)
        let variables = profile.map { ["AWS_PROFILE": $0] } ?? [:]
        #expect(try source(machine, variables).fetch().accessKeyID == id)
    }

    @Test("the files are where the environment says, with the home directory for a tilde")
    func places() throws {
        let machine = try Machine()
        machine.write("c", "[profile x]\nregion=r")
        let path = machine.write("k", "[x]\naws_access_key_id=B\naws_secret_access_key=s\naws_session_token=t")
        let variables = ["AWS_PROFILE": "x", "AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": path]
        #expect(
            try source(machine, variables).fetch()
                == AWSCredentials(accessKeyID: "B", secretAccessKey: "s", sessionToken: "t"))
    }

    @Test("keys in the credentials file come before a process, and that before keys in the config file")
    func order() throws {
        let config = """
            [default]
            aws_access_key_id = C
            aws_secret_access_key = s
            credential_process = /bin/echo '{"Version":1,"AccessKeyId":"P","SecretAccessKey":"s"}'
            """
        let machine = try machine(config: config)
        try expect(machine, [:], "P")
        machine.write(".aws/credentials", "[default]\naws_access_key_id=K\naws_secret_access_key=s")
        try expect(machine, [:], "K")
    }

    @Test(
        "what there is not, or is not understood, is told with where it was looked for",
        arguments: [
            (
                nil, nil, CredentialFault.Kind.absent,
                "there is no profile \"default\" (HOME/.aws/config does not exist, "
            ),
            (nil, "nobody", .failed, "there is no profile \"nobody\" ("),
            ("[default]\nregion=x", nil, .absent, "the profile \"default\" has no credentials ("),
            ("[profile x]\nregion=x", "x", .absent, "the profile \"x\" has no credentials ("),
            ("[profile x]\ncanary", nil, .failed, "HOME/.aws/config:2: the line is no setting: it has no '='"),
            (
                "[default]\naws_access_key_id=A", nil, .failed,
                "the profile \"default\" in the config file has no aws_secret_access_key"
            ),
            (
                "[default]\naws_access_key_id=A\naws_secret_access_key=can ary", nil, .failed,
                "the aws_secret_access_key of the profile \"default\" in the config file is none"
            ),
            (
                "[default]\nsso_session=canary", nil, .failed,
                "the profile \"default\" signs in through IAM Identity Center"
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=default\nmfa_serial=canary", nil, .failed,
                "the profile \"default\" asks for a code from a device (mfa_serial)"
            ),
            (
                "[default]\nrole_arn=r", nil, .failed,
                "the profile \"default\" has a role_arn, but neither source_profile nor credential_source"
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=a\ncredential_source=Environment", nil, .failed,
                "the profile \"default\" has both source_profile and credential_source"
            ),
            (
                "[default]\nrole_arn=r\ncredential_source=Elsewhere", nil, .failed,
                "the profile \"default\" has a credential_source \"Elsewhere\": it must be Environment"
            ),
            (
                "[default]\nrole_arn=r\ncredential_source=Environment", nil, .failed,
                "the profile \"default\" has no credentials to take on its role with: AWS_ACCESS_KEY_ID is not set"
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=a", nil, .failed,
                "the profile \"default\" has a source_profile \"a\", which does not exist"
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nregion=x", nil, .failed,
                "the profile \"a\" has no credentials"
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=default", nil, .failed,
                "source_profile goes round in a circle: \"default\" -> \"default\""
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=a\n[profile a]\nrole_arn=r\nsource_profile=b\n"
                    + "[profile b]\nrole_arn=r\nsource_profile=a", nil, .failed,
                "source_profile goes round in a circle: \"default\" -> \"a\" -> \"b\" -> \"a\""
            ),
            (
                "[default]\nrole_arn=r\nsource_profile=default\nduration_seconds=1h\naws_access_key_id=A", nil, .failed,
                "the profile \"default\" has a duration_seconds that is no number of seconds"
            ),
            (
                "[default]\nweb_identity_token_file=/t", nil, .failed,
                "there is a web identity token file, but no role: AWS_ROLE_ARN is not set"
            ),
        ] as [(String?, String?, CredentialFault.Kind, String)])
    func faults(config: String?, profile: String?, kind: CredentialFault.Kind, message: String) throws {
        let machine = try machine(config: config)
        let fault = source(machine, profile.map { ["AWS_PROFILE": $0] } ?? [:]).fault
        #expect(fault?.kind == kind)
        let expected = message.replacing("HOME", with: machine.home)
        #expect(fault?.message.contains(expected) == true, "\(fault?.message ?? "")")
        #expect(fault?.message.contains("canary") == false)
    }

    @Test("a file that is none, and a pipe that nobody writes to, hold no profiles and up nothing")
    func notFiles() throws {
        let machine = try Machine()
        mkfifo(machine.home + "/pipe", 0o600)
        let fault = source(
            machine, ["AWS_CONFIG_FILE": "~/pipe", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws"]
        ).fault
        #expect(fault?.kind == .absent)
        #expect(fault?.message.contains("/pipe is not a file, ") == true)
        #expect(fault?.message.contains("/.aws is not a file") == true)
    }

    @Test("names with what would upset a terminal or a log are shown without it")
    func shown() throws {
        let fault = source(
            try Machine(), ["AWS_PROFILE": "a\nb\u{1b}[31m\u{202e}" + String(repeating: "x", count: 500)]
        ).fault
        let message = try #require(fault?.message)
        #expect(message.hasPrefix("there is no profile \"a?b?[31m?xxx"))
        #expect(!message.contains(String(repeating: "x", count: 201)))
    }

    // MARK: Roles

    private static let arn = "arn:aws:iam::123456789012:role/"

    /// A token service that returns `ASIA` and the role's name if the request is signed with an existing key, also with one
    /// that it returned before.
    private func withTokenService(
        _ machine: Machine, _ body: (ScriptedOrigin, [String: String]) throws -> Void
    ) throws {
        let clock = machine.clock
        let keys =
            [
                AWSCredentials(accessKeyID: "AKIA", secretAccessKey: "s"),
                AWSCredentials(accessKeyID: "AENV", secretAccessKey: "s", sessionToken: "t"),
            ] + ["one", "two", "web", "box"].map { FakeService.credentials("ASIA" + $0, nil) }
        let origin = try FakeService.tokenService(keys: keys, now: { clock.now }) { parameters, _ in
            let name = parameters["RoleArn"]?.split(separator: "/").last ?? ""
            return FakeService.assumed(parameters["Action"] ?? "", "ASIA\(name)", clock.text(after: hour))
        }
        defer { origin.stop() }
        try body(origin, ["AWS_ENDPOINT_URL_STS": "http://127.0.0.1:\(origin.port)"])
    }

    @Test("a role is taken on with the source profile's keys, through several if need be")
    func chain() throws {
        let machine = try machine(
            config: """
                [default]
                role_arn = \(Self.arn)two
                source_profile = middle
                role_session_name = me
                external_id = x
                duration_seconds = 1200
                [profile middle]
                role_arn = \(Self.arn)one
                source_profile = keys
                """, credentials: "[keys]\naws_access_key_id=AKIA\naws_secret_access_key=s")
        try withTokenService(machine) { origin, variables in
            let found = try source(machine, variables).fetch()
            #expect(found == FakeService.credentials("ASIAtwo", machine.clock.now + hour))
            #expect(origin.requests.count == 2)
            #expect(origin.requests[0]["Authorization"]?.contains("Credential=AKIA/") == true)
            #expect(origin.requests[1]["Authorization"]?.contains("Credential=ASIAone/") == true)
            #expect(origin.requests[1].text.hasSuffix("&RoleSessionName=me&ExternalId=x&DurationSeconds=1200"))
        }
    }

    @Test("role and keys may stand in one profile; in a source profile the keys come first")
    func ownKeys() throws {
        let both = "role_arn=\(Self.arn)one\nsource_profile=both\naws_access_key_id=AKIA\naws_secret_access_key=s"
        let machine = try machine(
            config: "[profile both]\n\(both)\n[profile top]\nrole_arn=\(Self.arn)two\nsource_profile=both")
        try withTokenService(machine) { origin, variables in
            var variables = variables
            variables["AWS_PROFILE"] = "both"
            try expect(machine, variables, "ASIAone")
            variables["AWS_PROFILE"] = "top"
            try expect(machine, variables, "ASIAtwo")
            #expect(origin.requests.count == 2)
        }
    }

    @Test("a role is taken on with the credentials of the environment, the container or the instance")
    func credentialSources() throws {
        let container = try FakeService.container { .reply(body: FakeService.document("ASIAbox", nil)) }
        let metadata = try FakeService.metadata { .reply(body: FakeService.document("ASIAbox", nil)) }
        defer {
            container.stop()
            metadata.stop()
        }
        for (name, id) in [("Environment", "AENV"), ("EcsContainer", "ASIAbox"), ("Ec2InstanceMetadata", "ASIAbox")] {
            let machine = try machine(config: "[default]\nrole_arn=\(Self.arn)one\ncredential_source=\(name)")
            try withTokenService(machine) { origin, variables in
                let more = [
                    "AWS_ACCESS_KEY_ID": "AENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(container.port)/v2/credentials/1",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(metadata.port)",
                    "AWS_EC2_METADATA_DISABLED": "false",
                ]
                try expect(machine, variables.merging(more) { $1 }, "ASIAone")
                #expect(origin.requests.first?["Authorization"]?.contains("Credential=\(id)/") == true)
            }
        }
    }

    @Test(
        "a web identity's settings are the environment's, else the profile's; those of a source profile its own alone")
    func webIdentity() throws {
        let machine = try machine(
            config: """
                [default]
                role_arn = \(Self.arn)web
                web_identity_token_file = ~/token
                role_session_name = profile
                [profile top]
                role_arn = \(Self.arn)one
                source_profile = default
                """)
        machine.write("token", "eyJ.a.b")
        try withTokenService(machine) { origin, variables in
            try expect(machine, variables, "ASIAweb")
            var more = variables
            more["AWS_ROLE_ARN"] = Self.arn + "env"
            more["AWS_ROLE_SESSION_NAME"] = "environment"
            more["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/nowhere"
            #expect(source(machine, more).fault?.message.contains("\"/nowhere\" does not exist") == true)
            more["AWS_WEB_IDENTITY_TOKEN_FILE"] = nil
            try expect(machine, more, "ASIAenv")
            #expect(origin.requests.last?.text.contains("RoleSessionName=environment") == true)
            more["AWS_PROFILE"] = "top"
            try expect(machine, more, "ASIAone")
            #expect(origin.requests[2].text.contains("RoleSessionName=profile") == true)
        }
    }

    @Test("a web identity in the environment needs no profile")
    func webIdentityAlone() throws {
        let machine = try Machine()
        let path = machine.write("token", "eyJ.a.b")
        try withTokenService(machine) { _, variables in
            var variables = variables
            variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = path
            variables["AWS_ROLE_ARN"] = Self.arn + "web"
            try expect(machine, variables, "ASIAweb")
        }
    }
}
