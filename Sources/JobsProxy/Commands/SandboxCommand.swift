internal import ArgumentParser
internal import Logging
internal import NIOPosix
internal import Sandbox
internal import ServiceLifecycle

/// `jobs-proxy sandbox`: the stand-in for the service, alone.
struct SandboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Runs a stand-in for Amazon Voice ID, with made-up data.",
        discussion: """
            Examples:
              jobs-proxy sandbox --listen 127.0.0.1:9000
              jobs-proxy sandbox --listen 127.0.0.1:9000 --latency 50ms --fault InternalServerException=0.2
            """)

    @Option(help: ArgumentHelp("Where to listen; port 0 lets the system choose.", valueName: "ADDR"))
    var listen: String

    @Option(help: ArgumentHelp("The same seed makes the same data.", valueName: "N"))
    var seed = SandboxOptions().seed

    @Option(help: ArgumentHelp("How many domains there are.", valueName: "N"))
    var domains = SandboxOptions().domains

    @Option(help: ArgumentHelp("How many jobs of each kind a domain has.", valueName: "N"))
    var jobs = SandboxOptions().jobs

    @Option(help: ArgumentHelp("Requests a second that each quota group allows.", valueName: "RATE"))
    var quota = SandboxOptions().rate

    @Option(help: ArgumentHelp("Requests at once; by default as many as a second allows.", valueName: "N"))
    var burst: Double?

    @Option(help: ArgumentHelp("The time that each answer takes, such as 50ms.", valueName: "D"))
    var latency = Units.spelled(nanoseconds: SandboxOptions().latency)

    @Option(help: ArgumentHelp("The time that a started job takes to its end.", valueName: "D"))
    var jobDuration = Units.spelled(nanoseconds: SandboxOptions().jobDuration)

    @Option(help: ArgumentHelp("An error and its share of the answers; may be repeated.", valueName: "KIND=P"))
    var fault: [String] = []

    func run() async throws {
        guard let address = CommandValues.address(listen), address.path == nil else {
            throw ValidationError("--listen must be HOST:PORT, such as 127.0.0.1:9000")
        }
        func duration(_ text: String, _ option: String) throws -> Int64 {
            if let duration = CommandValues.duration(text) { return duration }
            throw ValidationError("\(option) must be a duration, such as 50ms or 10s")
        }
        let (latency, jobDuration) = try (duration(latency, "--latency"), duration(jobDuration, "--job-duration"))
        var faults: [(code: String, probability: Double)] = []
        for text in fault {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let share = Double(parts[1]), share >= 0, share <= 1 else {
                throw ValidationError("--fault must be KIND=P with P from 0 to 1, such as InternalServerException=0.2")
            }
            faults.append((String(parts[0]), share))
        }
        let signals = try EndSignals()
        Process.prepare()
        try DescriptorBudget.check()
        let options = SandboxOptions(
            seed: seed, domains: domains, jobs: jobs, rate: quota, burst: burst, latency: latency,
            jobDuration: jobDuration, faults: faults)
        let output = try ProcessOutput()
        defer { output.finish() }
        let sandbox: EmbeddedSandbox
        do {
            sandbox = try await EmbeddedSandbox(options, at: address, group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            throw CommandFailure("\(error)")
        }
        output.announce("Sandbox of Amazon Voice ID on http://\(sandbox.authority)")
        output.announce("Domains: \(sandbox.server.domainIDs.joined(separator: " "))")
        let logger = output.logger(label: "sandbox")
        signals.endInOrder()
        signals.onHangUp { logger.notice("there is nothing to reload: a sandbox has no configuration file") }
        try await ServiceGroup([sandbox], until: signals, logger: logger).run()
    }
}
