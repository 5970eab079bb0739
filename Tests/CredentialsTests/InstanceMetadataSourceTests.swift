import AWSProtocol
import Primitives
import TestSupport
import Testing

@testable import Credentials

@Suite("The instance metadata service", .timeLimit(.minutes(1)))
struct InstanceMetadataSourceTests {
    private func source(
        _ machine: Machine, _ origin: ScriptedOrigin, _ variables: [String: String] = [:]
    ) -> InstanceMetadataSource {
        var variables = variables
        variables["AWS_EC2_METADATA_DISABLED"] = variables["AWS_EC2_METADATA_DISABLED"] ?? "false"
        variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:\(origin.port)/"
        return InstanceMetadataSource(surroundings: machine.surroundings(variables))
    }

    @Test("gives the credentials of the instance's role through a session")
    func good() throws {
        let machine = try Machine()
        let text = machine.clock.text(after: 6 * hour)
        let origin = try FakeService.metadata { .reply(body: FakeService.document("ASIA", text)) }
        defer { origin.stop() }
        let found = try source(machine, origin).fetch()
        #expect(found == FakeService.credentials("ASIA", machine.clock.now + 6 * hour))
        #expect(origin.requests.map(\.method) == ["PUT", "GET", "GET"])
    }

    @Test("is asked at its own address, in IPv4 or IPv6")
    func addresses() throws {
        let machine = try Machine()
        for (mode, address) in [("IPv4", "http://169.254.169.254"), ("ipv6", "http://[fd00:ec2::254]")] {
            let surroundings = machine.surroundings(["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": mode])
            #expect(try InstanceMetadataSource(surroundings: surroundings).endpoint().origin == address)
        }
        let surroundings = machine.surroundings(["AWS_EC2_METADATA_SERVICE_ENDPOINT": "169.254.169.254"])
        #expect(throws: CredentialFault.self) { try InstanceMetadataSource(surroundings: surroundings).endpoint() }
    }

    @Test("is not asked if it is switched off", arguments: ["true", "True", "TRUE"])
    func off(value: String) throws {
        let machine = try Machine()
        let origin = try FakeService.metadata { .reply(body: FakeService.document("ASIA", nil)) }
        defer { origin.stop() }
        let fault = source(machine, origin, ["AWS_EC2_METADATA_DISABLED": value]).fault
        #expect(fault == .absent("the instance metadata service is switched off (AWS_EC2_METADATA_DISABLED)"))
        #expect(origin.requests.isEmpty)
    }

    @Test(
        "that has no version 2 is passed over; version 1 is not tried",
        arguments: [
            ScriptedOrigin.Step.reply(status: 404), .reply(status: 403), .reply(status: 405), .reply(status: 400),
            .reply(),
            .reply(body: "a\r\nb"), .reply(status: 500),
        ])
    func noSession(step: ScriptedOrigin.Step) throws {
        let machine = try Machine()
        let origin = try ScriptedOrigin { request, _ in
            request.method == "PUT" ? step : .reply(body: FakeService.document("ASIA", nil))
        }
        defer { origin.stop() }
        #expect(source(machine, origin).fault?.kind == .absent)
        #expect(origin.requests.allSatisfy { $0.method == "PUT" })
    }

    @Test("that swallows the request for a token, as to containers too far away, is passed over with a hint")
    func hopLimit() throws {
        let machine = try Machine()
        let origin = try ScriptedOrigin { _, _ in .stall }
        defer { origin.stop() }
        var source = source(machine, origin)
        source = InstanceMetadataSource(
            surroundings: {
                var surroundings = source.surroundings
                surroundings.patience.metadata = second / 5
                return surroundings
            }())
        let fault = source.fault
        #expect(fault?.kind == .absent)
        #expect(fault?.message.contains("hop limit must be 2") == true)
    }

    @Test("of an instance without a role is passed over")
    func noRole() throws {
        let machine = try Machine()
        let origin = try ScriptedOrigin { request, _ in
            request.method == "PUT" ? .reply(body: "token") : .reply(status: 404)
        }
        defer { origin.stop() }
        #expect(source(machine, origin).fault?.kind == .absent)
    }

    @Test(
        "that names no role to ask for, or refuses its credentials, is a failure",
        arguments: [
            ("", FakeService.Step.reply(), "is no role's name"),
            ("../../user-data", .reply(), "is no role's name"),
            ("a b", .reply(status: 404), "gave no credentials for the role \"a\": status 404"),
            ("jobs", .reply(status: 404), "gave no credentials for the role \"jobs\": status 404"),
            (
                "jobs", .reply(body: #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"canary"}"#),
                "gave no credentials for the role \"jobs\": AssumeRoleUnauthorizedAccess"
            ),
            ("jobs", .reply(body: "canary"), "is not JSON: a character that does not belong there (byte 0)"),
            ("jobs", .reply(body: #"{"Code":"Success"}"#), "has no AccessKeyId"),
        ])
    func refused(role: String, step: FakeService.Step, message: String) throws {
        let machine = try Machine()
        let origin = try ScriptedOrigin { request, _ in
            request.method == "PUT"
                ? .reply(body: "token") : request.target.hasSuffix("/") ? .reply(body: role) : step
        }
        defer { origin.stop() }
        let fault = source(machine, origin).fault
        #expect(fault?.kind == .failed)
        #expect(fault?.message.contains(message) == true, "\(fault?.message ?? "")")
        #expect(fault?.message.contains("canary") == false)
    }

    @Test("that goes on giving credentials which are over is believed for ten minutes more")
    func stability() throws {
        let machine = try Machine()
        let text = machine.clock.text(after: -hour)
        let origin = try FakeService.metadata { .reply(body: FakeService.document("ASIA", text)) }
        defer { origin.stop() }
        #expect(try source(machine, origin).fetch() == FakeService.credentials("ASIA", machine.clock.now + 10 * minute))
    }
}
