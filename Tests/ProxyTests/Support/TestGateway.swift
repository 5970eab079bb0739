import struct Gateway.RefreshSettings
import Logging
import NIOPosix
import NIOTestSupport
import ServiceLifecycle
import Synchronization
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

/// A gateway that a test starts, talks to and stops.
struct TestGateway: Sendable {
    let assembly: GatewayAssembly
    /// What the gateway reads when it reloads.
    let file: ConfigurationText

    /// Starts a gateway with this configuration on free ports, and stops it after `body`.
    ///
    /// - Parameters:
    ///   - listen: the `listen` section, in place of one with a free port; so is `admin`.
    ///   - access: what the access log records.
    ///   - environment: beside `secrets`.
    ///   - refreshAhead: in place of what the configuration says: most tests count the calls that they cause.
    static func run<Result>(
        _ yaml: String, listen: String = "", admin: String = "", access: String = "off",
        environment: [String: String] = [:], refreshAhead: RefreshSettings = .off,
        log: LogLines = LogLines(), isEnding: @escaping @Sendable () -> Bool = { false },
        _ body: (TestGateway) async throws -> Result
    ) async throws -> Result {
        let listen = listen.isEmpty ? "listen: {address: \"127.0.0.1:0\"}\n" : listen
        let admin = admin.isEmpty ? "admin: {address: \"127.0.0.1:0\"}\n" : admin
        let file = ConfigurationText(yaml, head: listen + admin + "log: {access: \(access)}\n", refreshAhead)
        let configuration = try file.read()
        let logger = Logger(label: "test") { _ in log }
        let assembly = try await GatewayAssembly(
            configuration, environment: secrets.merging(environment) { $1 },
            group: MultiThreadedEventLoopGroup.singleton, logger: logger,
            source: ReloadSource(path: nil) { () throws(CommandFailure) in try file.read() }, isEnding: isEnding)
        let result = try await whileRunning(assembly, logger) {
            try await body(TestGateway(assembly: assembly, file: file))
        }
        expectNoSecrets(assembly, log)
        return result
    }

    /// Runs the gateway's services, as the command does, for as long as `body` takes, and ends them in order.
    private static func whileRunning<Result>(
        _ assembly: GatewayAssembly, _ logger: Logger, _ body: () async throws -> Result
    ) async throws -> Result {
        let (start, started) = AsyncStream.makeStream(of: Void.self)
        let group = ServiceGroup(services: assembly.services + [StartNotice(started: started)], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in start {}
            let result: Swift.Result<Result, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// Tells that the services of a group have been started: before, the group cannot be told to end.
    private struct StartNotice: Service {
        let started: AsyncStream<Void>.Continuation

        func run() async {
            started.finish()
            try? await gracefulShutdown()
        }
    }

    /// Whatever a test did to a gateway, nothing that it shows of itself holds a secret.
    private static func expectNoSecrets(_ assembly: GatewayAssembly, _ log: LogLines) {
        let shown = [
            String(decoding: assembly.registry.render(), as: UTF8.self),
            String(decoding: assembly.state.json(), as: UTF8.self), log.all.joined(separator: "\n"),
            "\(assembly.state.configuration)",
        ]
        for text in shown { #expect(!text.contains("canary-")) }
    }

    /// What `credentials` and `callers` may refer to. The values begin alike, so that they are found wherever they should
    /// not be.
    static let secrets = [
        "UPSTREAM_SECRET": "canary-upstream-0000000000000000000000",
        "CALLER_SECRET": "canary-caller-00000000000000000000",
        "OTHER_SECRET": "canary-other-000000000000000000000", "ADMIN_TOKEN": "canary-token-0000000000",
    ]

    /// The credentials of the services of tests, so that nobody looks for others.
    static let credentials = "{accessKeyId: UPSTREAM1, secretAccessKey: {env: UPSTREAM_SECRET}}"

    /// The part of a configuration that puts an origin behind the gateway, its quota out of the way.
    ///
    /// - Parameter more: further keys of the service, each with a comma before it.
    static func service(
        _ url: String, timeouts: String = "{connect: 1s, attempt: 2s, call: 5s}", credentials: String = credentials,
        more: String = ""
    ) -> String {
        """
        services: [{catalog: voice-id, endpoint: "\(url)", timeouts: \(timeouts), quotas: \(Self.ample),
                    credentials: \(credentials)\(more)}]
        limits: {caller: {rate: 100000, burst: 100000}}
        drain: 1s

        """
    }

    private static let ample =
        "{batch: {rate: 10000, burst: 10000}, default: {rate: 10000, burst: 10000}, evaluate: {rate: 10000, burst: 10000}}"

    var url: String { "http://\(assembly.address.host):\(assembly.address.port)" }

    func client() async throws -> LoopbackClient {
        try await LoopbackClient(
            host: assembly.address.host, port: assembly.address.port, group: MultiThreadedEventLoopGroup.singleton)
    }

    /// One call over a connection of its own.
    func call(_ operation: String, _ body: String) async throws -> HTTPReply {
        let client = try await client()
        let reply = try await client.post(operation, body)
        try await client.close()
        return reply
    }

    /// One page of the first operation.
    func page(_ body: String) async throws -> HTTPReply { try await call("ListFraudsterRegistrationJobs", body) }

    /// One request to the operator's listener.
    func admin(_ method: String, _ path: String) async throws -> HTTPReply {
        let client = try await LoopbackClient(
            host: assembly.adminAddress.host, port: assembly.adminAddress.port,
            group: MultiThreadedEventLoopGroup.singleton)
        let reply = try await client.send("\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        try await client.close()
        return reply
    }

    /// Has the gateway read another configuration, and returns the answer to the order.
    func reload(_ yaml: String) async throws -> HTTPReply {
        file.yaml = yaml
        return try await admin("POST", "/reload")
    }

    /// The value of a sample at `/metrics`, of the callers' listener or the operators'.
    func metric(_ sample: String, admin: Bool = false) async throws -> Double? {
        let text: String
        if admin {
            text = try await self.admin("GET", "/metrics").text
        } else {
            let client = try await client()
            text = try await client.get("/metrics").text
            try await client.close()
        }
        return text.split(separator: "\n").first { $0.hasPrefix("\(sample) ") }
            .flatMap { Double($0.dropFirst(sample.count + 1)) }
    }
}

/// The text of a configuration, which a test may change while the gateway runs.
final class ConfigurationText: Sendable {
    private let text: Mutex<String>
    private let head: String
    private let refreshAhead: RefreshSettings
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ yaml: String, head: String, _ refreshAhead: RefreshSettings) {
        text = Mutex(yaml)
        (self.head, self.refreshAhead) = (head, refreshAhead)
    }

    var yaml: String {
        get { text.withLock { $0 } }
        set { text.withLock { $0 = newValue } }
    }

    /// From now on `body` comes before each reading.
    func beforeReading(_ body: @escaping @Sendable () -> Void) { hook.withLock { $0 = body } }

    func read() throws(CommandFailure) -> Configuration {
        hook.withLock { $0 }?()
        switch ConfigurationReader.read(Array((head + yaml).utf8), file: "test.yaml") {
        case .success(var configuration):
            configuration.cache.refreshAhead = refreshAhead
            return configuration
        case .failure(let faults): throw CommandFailure("\(faults)")
        }
    }
}

extension Metrics {
    /// Whether a sample ends like this.
    func shows(_ text: String) -> Bool { String(decoding: render(), as: UTF8.self).contains(text) }
}

/// What a gateway wrote to its log.
final class LogLines: LogHandler, Sendable {
    private let lines = Mutex<[String]>([])

    /// The messages, each with its metadata in the order of their names.
    var all: [String] { lines.withLock { $0 } }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .info }
        set {}
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        lines.withLock { $0.append("\(event.message)\(metadata)") }
    }
}

/// The body of a request for the first page of a domain.
func query(domain: Character = "A", more: String = "") -> String {
    "{\"DomainId\":\"\(String(repeating: domain, count: 22))\"\(more)}"
}

extension ScriptedOrigin {
    /// Starts an origin and stops it after `body`.
    static func run<Result>(
        _ script: @escaping @Sendable (Request, Int) -> Step,
        _ body: (ScriptedOrigin) async throws -> Result
    ) async throws -> Result {
        let origin = try ScriptedOrigin(script: script)
        defer { origin.stop() }
        return try await body(origin)
    }
}
