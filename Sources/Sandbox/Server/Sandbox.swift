internal import HTTPFront
public import NIOCore
public import Primitives
internal import Telemetry

/// A stand-in for Amazon Voice ID that speaks its protocol over HTTP: made-up domains and jobs, real paging, validation,
/// quotas and errors. It checks no signatures. What is written to it lasts as long as it does.
///
/// It answers POST `/` with an `X-Amz-Target` of `VoiceID.` and an operation on domains (`Create`, `Describe`, `Update`,
/// `DeleteDomain`, `ListDomains`) or on one of the two kinds of batch job (`Start`, `Describe`, `List`); further GET
/// `/metrics` and `/healthz`. Input and output are as in the service model (`voice-id`, 2021-09-27), in awsJson 1.0
/// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html).
public final class Sandbox: Sendable {
    /// The identifiers of its domains, 22 letters and digits each, newest domain first, as `ListDomains` has them.
    public let domainIDs: [String]
    private let server: Server<SandboxResponder>
    private let counters: CallCounters
    private let latency: Int64

    /// Makes up the data, without listening. Takes time and memory in proportion to the number of jobs.
    ///
    /// - Parameters:
    ///   - group: the event loops that it runs on; the caller shuts them down, after the sandbox.
    ///   - wallClock: for `Date` and for the age of page tokens; called on the event
    ///     loops, for each request.
    /// - Throws: `SandboxOptionError` for an option that is out of its range.
    public init(
        options: SandboxOptions, group: any EventLoopGroup, wallClock: @escaping @Sendable () -> WallInstant
    ) async throws {
        try options.validate()
        let service = SandboxService(options: options)
        let metrics = Metrics()
        let counters = CallCounters(metrics)
        let latency = options.latency
        self.counters = counters
        self.latency = latency
        domainIDs = service.account.domains.map(\.id.text)
        server = try await Server(group: group, limits: HTTPLimits(), wallClock: wallClock) { loop in
            SandboxResponder(
                loop: loop, service: service, metrics: metrics, counters: counters.makeBlock(), latency: latency,
                wallClock: wallClock)
        }
    }

    /// Binds and listens. May be called more than once, for several addresses.
    ///
    /// - Parameter port: 0 to 65535; 0 lets the system choose.
    /// - Returns: the address as it was bound.
    /// - Throws: the system's error, for example if the address is in use.
    public func listen(host: String, port: Int) async throws -> (host: String, port: Int) {
        let address = try await server.listen(host: host, port: port)
        return (address?.ipAddress ?? host, address?.port ?? port)
    }

    /// Stops listening and closes all connections, each after the answer that it waits for.
    public func shutDown() async { await server.shutDown(timeout: latency + 1_000_000_000) }

    // MARK: Counts

    /// How many calls of each operation were answered with 200. Every operation of the sandbox is in it.
    public var served: [String: UInt64] { counters.byOperation(.ok) }

    /// How many calls of each operation were answered with `ThrottlingException`, injected ones included. Every operation
    /// of the sandbox is in it.
    public var throttled: [String: UInt64] { counters.byOperation(.throttled) }

    /// How many calls there were in all, whatever the answer: known and unknown operations, and requests that were no
    /// calls; not those for `/metrics` and `/healthz`.
    public var requests: UInt64 { counters.total }
}
