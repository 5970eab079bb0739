import Testing

@testable import Sandbox

@Suite("Options")
struct OptionTests {
    @Test("have the real service's defaults")
    func defaults() throws {
        let options = SandboxOptions()
        try options.validate()
        #expect(options.seed == 1)
        #expect(options.domains == 3)
        #expect(options.jobs == 250)
        #expect(options.rate == 2)
        #expect(options.burst == nil)
        #expect(options.latency == 0)
        #expect(options.faults.isEmpty)
    }

    @Test(
        "out of their range are named",
        arguments: [
            ("domains", SandboxOptions(domains: -1)), ("domains", SandboxOptions(domains: 1001)),
            ("jobs", SandboxOptions(jobs: -1)), ("jobs", SandboxOptions(domains: 1000, jobs: 1001)),
            ("jobs", SandboxOptions(jobs: .max)), ("rate", SandboxOptions(rate: -1)),
            ("rate", SandboxOptions(rate: .nan)), ("burst", SandboxOptions(burst: 0)),
            ("burst", SandboxOptions(burst: .nan)), ("latency", SandboxOptions(latency: -1)),
            ("latency", SandboxOptions(latency: .max)), ("jobDuration", SandboxOptions(jobDuration: -1)),
            ("faults", SandboxOptions(faults: [(code: "", probability: 0)])),
            ("faults", SandboxOptions(faults: [(code: "A\r\nB", probability: 0)])),
            ("faults", SandboxOptions(faults: [(code: "A", probability: 1.5)])),
            ("faults", SandboxOptions(faults: [(code: "A", probability: .nan)])),
            ("faults", SandboxOptions(faults: [(code: "A", probability: 0.6), (code: "B", probability: 0.6)])),
        ] as [(String, SandboxOptions)])
    func ranges(option: String, options: SandboxOptions) {
        let error = #expect(throws: SandboxOptionError.self) { try options.validate() }
        #expect(error?.option == option)
    }

    @Test("may be at their bounds")
    func bounds() throws {
        try SandboxOptions(domains: 0, jobs: 0, rate: 0, burst: 1).validate()
        try SandboxOptions(domains: 1000, jobs: 1000, rate: .infinity, latency: 3_600_000_000_000).validate()
        try SandboxOptions(faults: (0..<10).map { (code: "A\($0)", probability: 0.1) }).validate()
        #expect(TestCaller(SandboxOptions(rate: .infinity, burst: .infinity)).list(.listDomains).result == .ok)
        #expect(TestCaller(SandboxOptions(rate: 0)).list(.listDomains).result == .ok)
    }
}
