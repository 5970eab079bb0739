import Gateway
import GatewayFront
import OriginClient
import Testing
import Upstream

@testable import JobsProxy

@Suite("Reading a configuration")
struct ConfigurationReaderTests {
    @Test(
        "is all defaults where the file says nothing",
        arguments: ["", "\n", "# only a comment\n", "---\n", "null", "{}", "\u{FEFF}"])
    func nothing(yaml: String) {
        #expect(configuration(yaml) == Configuration())
    }

    @Test(
        "lets sections stand without keys",
        arguments: ["http:\n", "http: null\n", "services:\n", "cache: {ttl: {}, negative: ~}\n"])
    func emptySections(yaml: String) {
        #expect(configuration(yaml) == Configuration())
    }

    @Test("sets every key of a full file")
    func everyKey() {
        var expected = Configuration()
        expected.listen.address = Configuration.Address(host: "::1", port: 0)
        expected.admin.address = Configuration.Address(host: "localhost", port: 9_999)
        expected.http = Configuration.HTTP(
            maxFields: 10, maxFieldBytes: 4_096, maxHeadBytes: 8_192, maxBodyBytes: 1_048_576,
            headTimeout: 250_000_000, bodyTimeout: 1_000_000_000, idleTimeout: 300_000_000_000, maxConnections: 0,
            maxConnectionsPerPeer: 64, maxUnsentBytes: 8_388_608)
        expected.services = [
            Configuration.ServiceEntry(
                catalog: .init(name: "voice-id"), name: "east",
                endpoint: .origin(
                    Configuration.Origin(scheme: .https, host: "voiceid.us-east-1.amazonaws.com", port: 443)),
                region: "us-east-1", http2: .off, caBundle: "/etc/ssl/ca.pem",
                proxy: Configuration.Origin(scheme: .http, host: "proxy.internal", port: 3_128), maxConnections: 8,
                timeouts: Configuration.ServiceEntry.Timeouts(
                    connect: 1_000_000_000, attempt: 2_000_000_000, call: 3_000_000_000),
                headroom: 0.5,
                quotas: [
                    "batch": Configuration.Rate(rate: 4, burst: 4), "tags": Configuration.Rate(rate: 0.5, burst: 1),
                    "speakers": Configuration.Rate(rate: 2.5, burst: 20),
                ]),
            Configuration.ServiceEntry(
                catalog: .init(name: "./catalogs/other.yaml"), name: "other", region: "eu-west-2",
                http2: .priorKnowledge),
        ]
        (expected.retry.maxAttempts, expected.retry.baseDelay, expected.retry.maxDelay) = (1, 0, 2_000_000_000)
        (expected.retry.budget.ratio, expected.retry.budget.reserve) = (0.25, 0)
        expected.breaker = Configuration.Breaker(failures: 1, openFor: 60_000_000_000)
        expected.cache = Configuration.Cache(
            maxBytes: 1_073_741_824, maxWaiters: 1,
            ttl: Configuration.Cache.TimeToLive(
                default: 1_000_000_000,
                status: [
                    "COMPLETED": 60_000_000_000, "SUBMITTED": 0,
                ],
                final: 20_000_000_000,
                operation: ["ListDomains": .fixed(3_600_000_000_000)]),
            staleWhileRevalidate: 0, staleIfError: 7_200_000_000_000,
            negative: ["ResourceNotFoundException": 0, "ValidationException": 1_000_000_000])
        expected.limits = Configuration.Limits(
            caller: Configuration.Rate(rate: 50, burst: 50), queue: Configuration.Limits.Queue(maxWait: 0, maxDepth: 0))
        expected.replicas = 3
        expected.anonymous = .deny
        expected.drain = Configuration.Drain(total: 0)
        expected.log = Configuration.Log(level: .debug, access: .off)

        let yaml = """
            listen: { address: "[::1]:0" }
            admin: { address: localhost:9999 }
            http: { maxFields: 10, maxFieldBytes: 4KiB, maxHeadBytes: 8192, maxBodyBytes: 1MiB, headTimeout: 250ms,
                    bodyTimeout: 1s, idleTimeout: 5m, maxConnections: 0, maxConnectionsPerPeer: 64,
                    maxUnsentBytes: 8MiB }
            services:
              - name: east
                endpoint: HTTPS://VoiceID.us-east-1.amazonaws.com/
                http2: off
                caBundle: /etc/ssl/ca.pem
                proxy: http://proxy.internal:3128
                maxConnections: 8
                timeouts: { connect: 1s, attempt: 2s, call: 3s }
                headroom: 0.5
                quotas: { batch: { rate: 4 }, tags: { rate: 5e-1 }, speakers: { rate: 2.5, burst: 20 } }
              - catalog: ./catalogs/other.yaml
                region: eu-west-2
                http2: prior-knowledge
            retry: { maxAttempts: 1, baseDelay: 0ms, maxDelay: 2s, budget: { ratio: 0.25, reserve: 0 } }
            breaker: { failures: 1, openFor: 1m }
            cache:
              maxBytes: 1GiB
              maxWaiters: 1
              ttl: { default: 1s, final: 20s, status: { COMPLETED: 1m, SUBMITTED: 0ms }, operation: { ListDomains: 1h } }
              staleWhileRevalidate: 0ms
              staleIfError: 2h
              negative: { ResourceNotFoundException: 0ms, ValidationException: 1s }
            limits: { caller: { rate: 50 }, queue: { maxWait: 0ms, maxDepth: 0 } }
            replicas: 3
            anonymous: deny
            drain: 0ms
            log: { level: debug, access: "off" }
            """
        #expect(faults(yaml) == [])
        #expect(configuration(yaml) == expected)
    }

    @Test(
        "makes an unset burst the rate, and one at least",
        arguments: [(100.0, 100), (2.9, 2), (1, 1), (0.0001, 1), (1e7, 10_000_000)])
    func burst(rate: Double, burst: Int) {
        #expect(
            configuration("limits: {caller: {rate: \(rate)}}")?.limits.caller
                == Configuration.Rate(rate: rate, burst: burst))
        #expect(configuration("services: [{quotas: {g: {rate: \(rate)}}}]")?.services[0].quotas["g"]?.burst == burst)
    }

    @Test("keeps a caller's default rate where only the burst is set")
    func burstAlone() {
        #expect(configuration("limits: {caller: {burst: 7}}")?.limits.caller == Configuration.Rate(rate: 100, burst: 7))
    }

    @Test(
        "names a service by its catalog",
        arguments: [("voice-id", "voice-id"), ("/etc/jp/fraud.v2.yaml", "fraud"), ("x", "x")])
    func serviceName(catalog: String, name: String) {
        #expect(configuration("services: [{catalog: \(catalog)}]")?.services.map(\.name) == [name])
    }

    @Test("takes a model, or a catalog, with what is known beside it")
    func overlay() {
        let service = configuration("services: [{catalog: {model: /m/sfn.json, overlay: o.yaml}}]")?.services.first
        #expect(service?.catalog == Configuration.ServiceEntry.CatalogSource(name: "/m/sfn.json", overlay: "o.yaml"))
        #expect(service?.name == "sfn")
        #expect(configuration("services: [{catalog: {model: ecs}}]")?.services.first?.catalog.overlay == nil)
        let missing = "is missing: a built-in catalog's name, or the path of a catalog or a model"
        #expect(faults("services: [{catalog: {overlay: o.yaml}}]").first == "1: services[0].catalog.model: \(missing)")
        #expect(faults("services: [{catalog: {model: a, file: b}}]").first?.contains("unknown key") == true)
    }

    @Test("lets two services share a catalog under two names")
    func sharedCatalog() {
        let services = configuration("services: [{name: a}, {name: b, region: eu-west-1}]")?.services
        #expect(services?.map(\.name) == ["a", "b"])
        #expect(services?.map(\.region) == ["us-east-1", "eu-west-1"])
    }

    @Test("opens the listener to other machines if anonymous callers are allowed")
    func openListener() {
        let address = configuration("listen: {address: '0.0.0.0:80'}\nanonymous: allow")?.listen.address
        #expect(address == Configuration.Address(host: "0.0.0.0", port: 80))
    }

    @Test("counts lines alike for every line end", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(end: String) {
        #expect(
            faults("http:\(end)  maxFields: 0\(end)  maxFields: 1\(end)log: {level: x}\(end)").map { $0.prefix(2) } == [
                "2:", "3:", "4:",
            ])
    }

    @Test("gives quoted and block texts back as they are, indicators included")
    func texts() {
        let yaml = "services: [{caBundle: \"/a*b&c!d?e\"}]"
        #expect(configuration(yaml)?.services[0].caBundle == "/a*b&c!d?e")
        #expect(configuration("services:\n- caBundle: |-\n    *x\n")?.services[0].caBundle == "*x")
        #expect(configuration("services: [{caBundle: a*b}]")?.services[0].caBundle == "a*b")
    }
}
