internal import NIOCore
internal import Sandbox
internal import ServiceLifecycle

/// The sandbox inside the gateway's process, reached over loopback like any other service.
struct EmbeddedSandbox: Service {
    let server: Sandbox
    /// `host:port`.
    let authority: String

    var url: String { "http://\(authority)/" }

    /// Starts one if a service wants it.
    static func start(for configuration: Configuration, group: any EventLoopGroup) async throws -> EmbeddedSandbox? {
        guard configuration.services.contains(where: { $0.endpoint == .sandbox }) else { return nil }
        return try await EmbeddedSandbox(
            SandboxOptions(), at: Configuration.Address(host: "127.0.0.1", port: 0), group: group)
    }

    /// - Throws: `SandboxOptionError`, or the system's error.
    init(_ options: SandboxOptions, at address: Configuration.Address, group: any EventLoopGroup) async throws {
        server = try await Sandbox(options: options, group: group, wallClock: Process.coarseWallClock)
        let bound = try await server.listen(host: address.host, port: address.port)
        authority = "\(bound.host):\(bound.port)"
    }

    /// Returns when it has ended in order.
    func run() async {
        try? await gracefulShutdown()
        await server.shutDown()
    }

    /// Two lines to paste into a shell.
    ///
    /// - Parameter url: where callers connect.
    func invitation(to url: String, domain: String) -> String {
        let json = "application/x-amz-json-1.0"
        return """
            Sandbox:  \(self.url)metrics

            Try it, with any credentials:

              AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws voice-id list-fraudster-registration-jobs \
            --endpoint-url \(url) --region us-east-1 --domain-id \(domain) --job-status COMPLETED --max-items 3

              curl -i \(url)/ -H 'Content-Type: \(json)' -H 'X-Amz-Target: VoiceID.ListFraudsterRegistrationJobs' \
            -d '{"DomainId":"\(domain)","MaxResults":3}'

            """
    }
}
