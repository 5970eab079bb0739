import AWSProtocol
import TestSupport
import Testing

@testable import Credentials

@Suite("Where credentials are looked for", .timeLimit(.minutes(1)))
struct DefaultChainTests {
    @Test("the order is environment, profile, container, instance, as far as they are there")
    func order() throws {
        let container = try FakeService.container { .reply(body: FakeService.document("CONTAINER", nil)) }
        let metadata = try FakeService.metadata { .reply(body: FakeService.document("INSTANCE", nil)) }
        defer {
            container.stop()
            metadata.stop()
        }
        let machine = try Machine()
        machine.write("files", "[default]\naws_access_key_id=PROFILE\naws_secret_access_key=s")
        var variables = [
            "AWS_ACCESS_KEY_ID": "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SHARED_CREDENTIALS_FILE": "~/files",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(container.port)/v2/credentials/1",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:\(metadata.port)",
            "AWS_EC2_METADATA_DISABLED": "false",
        ]
        for (id, variable) in [
            ("ENVIRONMENT", "AWS_ACCESS_KEY_ID"), ("PROFILE", "AWS_SHARED_CREDENTIALS_FILE"),
            ("CONTAINER", "AWS_CONTAINER_CREDENTIALS_FULL_URI"), ("INSTANCE", ""),
        ] {
            let chain = DefaultChain(environment: machine.environment(variables), region: "eu-west-1")
            #expect(try chain.fetch().accessKeyID == id)
            variables[variable] = nil
        }
    }

    @Test("a source that is there and fails ends the search: the next one would be somebody else")
    func failure() throws {
        let container = try FakeService.container { .reply(body: FakeService.document("CONTAINER", nil)) }
        defer { container.stop() }
        let uri = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(container.port)/v2/credentials/1"]
        for broken in [
            ["AWS_ACCESS_KEY_ID": "A"], ["AWS_PROFILE": "nobody"], ["AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere"],
        ] {
            let environment = try Machine().environment(uri.merging(broken) { $1 })
            #expect(DefaultChain(environment: environment, region: "eu-west-1").fault?.kind == .failed)
        }
        #expect(container.requests.isEmpty)
    }

    @Test("if there are none, it is told where was looked")
    func none() throws {
        let machine = try Machine()
        let fault = DefaultChain(environment: machine.environment(), region: "eu-west-1").fault
        #expect(
            fault
                == .failed(
                    "no credentials were found: AWS_ACCESS_KEY_ID is not set; there is no profile \"default\" "
                        + "(\(machine.home)/.aws/config does not exist, \(machine.home)/.aws/credentials does not exist), "
                        + "and AWS_WEB_IDENTITY_TOKEN_FILE is not set; neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                        + "AWS_CONTAINER_CREDENTIALS_FULL_URI is set; the instance metadata service is switched off "
                        + "(AWS_EC2_METADATA_DISABLED)"))
    }

    @Test("without a home directory the files are where the environment says, or nowhere")
    func homeless() throws {
        var environment = try Machine().environment()
        environment.homeDirectory = nil
        let fault = DefaultChain(environment: environment, region: "eu-west-1").fault
        #expect(fault?.message.contains("AWS_CONFIG_FILE is not set and there is no home directory") == true)
    }
}
