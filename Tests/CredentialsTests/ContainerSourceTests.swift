import AWSProtocol
import Primitives
import TestSupport
import Testing

@testable import Credentials

@Suite("A container's endpoint", .timeLimit(.minutes(1)))
struct ContainerSourceTests {
    private func source(_ surroundings: Surroundings) -> ContainerSource { ContainerSource(surroundings: surroundings) }

    @Test("at a relative address, as ECS gives it")
    func relative() throws {
        let machine = try Machine()
        let end = machine.clock.now + hour
        let text = machine.clock.text(after: hour)
        let origin = try FakeService.container { .reply(body: FakeService.document("ASIA", text)) }
        defer { origin.stop() }
        var surroundings = machine.surroundings(["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"])
        #expect(surroundings.containerEndpoint == "http://169.254.170.2")
        surroundings.containerEndpoint = "http://127.0.0.1:\(origin.port)"
        #expect(try source(surroundings).fetch() == FakeService.credentials("ASIA", end))
        #expect(origin.requests.first?["Accept"] == "application/json")
    }

    @Test("at a full address, with a token from the environment")
    func full() throws {
        let machine = try Machine()
        let origin = try FakeService.container(path: "/a?b=c", authorization: { "Basic abc" }) {
            .reply(body: FakeService.document("ASIA", nil))
        }
        defer { origin.stop() }
        let found = try source(
            machine.surroundings([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/a?b=c",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "Basic abc",
            ])
        ).fetch()
        #expect(found == FakeService.credentials("ASIA", nil))
    }

    @Test("with a token from a file, which comes before the environment's and is read anew each time, as EKS wants it")
    func tokenFile() throws {
        let machine = try Machine()
        let expected = Script { _ in .reply(body: "first-token") }
        let origin = try FakeService.container(authorization: {
            guard case .reply(_, _, let body) = expected.next() else { return "" }
            return body
        }) { .reply(body: FakeService.document("ASIA", nil)) }
        defer { origin.stop() }
        let path = machine.write("token", "first-token\n")
        let source = source(
            machine.surroundings([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "another", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": path,
            ]))
        _ = try source.fetch()
        expected.set { _ in .reply(body: "second-token") }
        #expect(source.fault?.message.contains("refused with status 401 (Unauthorized)") == true)
        machine.write("token", "second-token")
        _ = try source.fetch()
        machine.write("token", "")
        #expect(source.fault?.message.contains("holds no token") == true)
        machine.write("token", "a\nb")
        #expect(source.fault?.message.contains("holds no token") == true)
    }

    @Test("is asked again after a passing failure, and given up after the third")
    func passing() throws {
        let machine = try Machine()
        let script = Script { number in
            switch number {
            case 1: .reply(status: 503)
            case 2: .close
            default: .reply(body: FakeService.document("ASIA", nil))
            }
        }
        let origin = try FakeService.container { script.next() }
        defer { origin.stop() }
        let source = source(
            machine.surroundings([
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1"
            ]))
        #expect(try source.fetch() == FakeService.credentials("ASIA", nil))
        script.set { _ in .reply(status: 500, body: "canary") }
        #expect(source.fault?.message.hasSuffix("refused with status 500") == true)
        #expect(script.asked == 6)
    }

    @Test("that hangs is given up, once, when its time is over")
    func hanging() throws {
        let machine = try Machine()
        let origin = try FakeService.container { .stall }
        defer { origin.stop() }
        var surroundings = machine.surroundings([
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:\(origin.port)/v2/credentials/1"
        ])
        surroundings.patience.container = second / 5
        #expect(source(surroundings).fault?.message.contains("did not answer: Timeout") == true)
        #expect(origin.requests.count == 1)
    }

    @Test(
        "that is not meant, or not one to send a token to, is a fault of its own",
        arguments: [
            (
                [:],
                CredentialFault.absent(
                    "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set")
            ),
            (
                ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@evil.example/"],
                .failed("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is no path that begins with a slash")
            ),
            (
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "ftp://127.0.0.1/"],
                .failed("AWS_CONTAINER_CREDENTIALS_FULL_URI is no URL of the form http(s)://host[:port]/path")
            ),
            (
                ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/"],
                .failed(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI names \"evil.example\", to which nothing is sent in the clear: it must "
                        + "be https, or the machine itself, 169.254.170.2, 169.254.170.23 or fd00:ec2::23")
            ),
            (
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere/token",
                ],
                .failed("the file \"/nowhere/token\" (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE) does not exist")
            ),
            (
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "canary\r\nX: y",
                ],
                .failed("AWS_CONTAINER_AUTHORIZATION_TOKEN is no field value")
            ),
        ] as [([String: String], CredentialFault)])
    func refused(variables: [String: String], fault: CredentialFault) throws {
        #expect(source(try Machine().surroundings(variables)).fault == fault)
    }
}
