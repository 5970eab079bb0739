internal import NIOCore
internal import Sandbox
internal import ServiceLifecycle

/// The sandbox inside the gateway's process, reached over loopback like any other service.
struct EmbeddedSandbox: Sendable {
    let server: Sandbox
    /// `host:port`.
    let authority: String

    var url: String { "http://\(authority)/" }

    /// Starts one if a service wants it.
    static func start(for configuration: Configuration, group: any EventLoopGroup) async throws -> EmbeddedSandbox? {
        guard configuration.services.contains(where: { $0.endpoint == .sandbox }) else { return nil }
        let sandbox = try await Sandbox(options: SandboxOptions(), group: group, wallClock: Process.coarseWallClock)
        let bound = try await sandbox.listen(host: "127.0.0.1", port: 0)
        return EmbeddedSandbox(server: sandbox, authority: "\(bound.host):\(bound.port)")
    }

    /// Two lines to paste into a shell.
    ///
    /// - Parameter url: where callers connect.
    func invitation(to url: String, domain: String) -> String {
        """
        Sandbox:  \(self.url)metrics

        Try it, with any credentials:

          AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws voice-id list-fraudster-registration-jobs --endpoint-url \(url) --region us-east-1 --domain-id \(domain) --job-status COMPLETED --max-items 3

          curl -i \(url)/ -H 'Content-Type: application/x-amz-json-1.0' -H 'X-Amz-Target: VoiceID.ListFraudsterRegistrationJobs' -d '{"DomainId":"\(domain)","MaxResults":3}'

        """
    }
}

/// Lets a sandbox that serves end in order.
struct SandboxService: Service {
    let sandbox: Sandbox

    func run() async {
        try? await gracefulShutdown()
        await sandbox.shutDown()
    }
}
