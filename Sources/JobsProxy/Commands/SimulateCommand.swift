internal import ArgumentParser

/// `jobs-proxy simulate`: what a load would come to.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Shows what a load would come to, with the gateway's own decisions, in virtual time.",
        discussion: """
            Callers ask for every page once an interval; what happens after the warm-up is counted.
            With --refresh pages change, each at a rate between once an hour and once a second, and each caller asks for one page an
            interval, drawn by Zipf's law.

            Examples:
              jobs-proxy simulate --callers 200 --pages 18 --interval 1s
              jobs-proxy simulate --direct --retries legacy          the same callers without a gateway
              jobs-proxy simulate --walk 10000 --svg ages.svg        with one more who walks through 10,000 pages
              jobs-proxy simulate --refresh auto --warm-up 90m --duration 90m   how many answers are up to date
              jobs-proxy simulate --config jobs-proxy.yaml --json    with the cache and the limits of a configuration
            """)

    @Option(
        help: ArgumentHelp("Cache and limits as in this file; its services are not asked.", valueName: "FILE"))
    var config: String?

    @Option(help: ArgumentHelp("How many poll.", valueName: "N"))
    var callers = 200

    @Option(help: ArgumentHelp("How many pages each asks for.", valueName: "N"))
    var pages = 18

    @Option(help: ArgumentHelp("How often each asks for every page.", valueName: "DURATION"))
    var interval = "1s"

    @Option(help: ArgumentHelp("What is not counted at the start.", valueName: "DURATION"))
    var warmUp = "15s"

    @Option(help: ArgumentHelp("What is counted after it.", valueName: "DURATION"))
    var duration = "60s"

    @Option(help: ArgumentHelp("One more caller walks through as many other pages, each once.", valueName: "N"))
    var walk = 0

    @Option(
        help: ArgumentHelp(
            "How SDKs come back after a throttle: none, legacy, standard or adaptive.", valueName: "MODE"))
    var retries = SDKRetries.Mode.standard

    @Option(help: ArgumentHelp("The service's quota, requests a second.", valueName: "RATE"))
    var quota = 2.0

    @Option(
        help: ArgumentHelp("Requests at once that it allows; by default as many as a second brings.", valueName: "N"))
    var burst: Double?

    @Option(help: ArgumentHelp("How long the service takes.", valueName: "DURATION"))
    var latency = "50ms"

    @Option(help: ArgumentHelp("What others take of the quota, requests a second.", valueName: "RATE"))
    var others = 0.0

    @Flag(help: "Callers ask the service, with no gateway between.")
    var direct = false

    @Option(
        help: ArgumentHelp(
            "Pages change, and are refreshed at their ttl, ahead of it too, or with a ttl of their own (auto).",
            valueName: "WHEN"))
    var refresh: SimulatedLoad.Refresh?

    @Option(help: ArgumentHelp("Of pages that change, the n-th is asked for as 1 / n^EXPONENT.", valueName: "EXPONENT"))
    var zipf = 1.0

    @Option(help: ArgumentHelp("Where the random numbers begin.", valueName: "N"))
    var seed: UInt64 = 1

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Option(help: ArgumentHelp("Write a picture of the ages of pages over time.", valueName: "FILE"))
    var svg: String?

    func run() throws {
        let report = try Simulation(load()).run()
        print(json ? report.json : report.table)
        if let svg { try File.write(Array(report.picture.utf8), to: svg) }
    }

    private static let longest: Int64 = 86_400_000_000_000
    /// Each page of each caller is an event that waits; more would take too much memory.
    private static let mostPolls = 1_000_000

    private func load() throws -> SimulatedLoad {
        var load = SimulatedLoad()
        load.configuration = try ConfigurationFile.load(config)
        load.callers = try inRange(callers, 1...100_000, "--callers")
        load.pages = try inRange(pages, 1...100_000, "--pages")
        guard callers * pages <= Self.mostPolls else {
            throw ValidationError("--callers times --pages must be \(Self.mostPolls) at most")
        }
        load.walk = try inRange(walk, 0...1_000_000, "--walk")
        load.interval = try time(interval, "--interval", least: 1_000_000)
        load.warmUp = try time(warmUp, "--warm-up", least: 0)
        load.duration = try time(duration, "--duration", least: 1_000_000)
        load.latency = try time(latency, "--latency", least: 0)
        load.rate = try inRange(quota, 0.001...1_000_000, "--quota")
        load.burst = try inRange(burst ?? max(1, quota), 1...1_000_000, "--burst")
        load.foreignRate = try inRange(others, 0...load.rate, "--others")
        load.retries = retries
        load.isDirect = direct
        load.refresh = refresh
        load.exponent = try inRange(zipf, 0...4, "--zipf")
        load.seed = seed
        return load
    }

    private func inRange<Value: Comparable>(_ value: Value, _ range: ClosedRange<Value>, _ option: String) throws
        -> Value
    {
        guard range.contains(value) else {
            throw ValidationError("\(option) must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func time(_ text: String, _ option: String, least: Int64) throws -> Int64 {
        guard let time = CommandValues.duration(text), (least...Self.longest).contains(time) else {
            throw ValidationError("\(option) must be a duration, such as 500ms or 10s, and 24h at most")
        }
        return time
    }
}

extension SDKRetries.Mode: ExpressibleByArgument {}
extension SimulatedLoad.Refresh: ExpressibleByArgument {}
