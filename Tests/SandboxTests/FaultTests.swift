import Testing

@testable import Sandbox

@Suite("Injected faults")
struct FaultTests {
    private func errors(seed: UInt64, _ faults: [(code: String, probability: Double)], _ count: Int) -> [String?] {
        var injector = FaultInjector(faults, seed: seed)
        return (0..<count).map { _ in injector.next() }
    }

    @Test("come as often as asked for", arguments: [0.0, 0.01, 0.2, 0.5, 1])
    func share(probability: Double) {
        let count = 20_000
        let failed = errors(seed: 1, [(code: "InternalServerException", probability: probability)], count).count {
            $0 != nil
        }
        let deviation = (Double(count) * probability * (1 - probability)).squareRoot()
        #expect(abs(Double(failed) - Double(count) * probability) <= 4 * deviation)
    }

    @Test("of several kinds have each its share")
    func shares() {
        let errors = errors(seed: 3, [(code: "A", probability: 0.1), (code: "B", probability: 0.3)], 20_000)
        #expect((1800...2200).contains(errors.count { $0 == "A" }))
        #expect((5700...6300).contains(errors.count { $0 == "B" }))
    }

    @Test("are the same for one seed and others for another")
    func determinism() {
        let faults = [(code: "InternalServerException", probability: 0.5)]
        #expect(errors(seed: 1, faults, 200) == errors(seed: 1, faults, 200))
        #expect(errors(seed: 1, faults, 200) != errors(seed: 2, faults, 200))
    }

    @Test("meet calls that were not throttled, in the order of the sequence")
    func calls() {
        let faults = [(code: "InternalServerException", probability: 0.5)]
        func results(_ seed: UInt64) -> [String?] {
            let caller = TestCaller(SandboxOptions(seed: seed, jobs: 0, burst: 100, faults: faults))
            return (0..<120).map { _ in caller.list(.listDomains).errorType }
        }
        #expect((30...70).contains(results(1).count { $0 == "InternalServerException" }))
        #expect(results(1).count { $0 == "ThrottlingException" } == 20)
        #expect(results(1) == results(1))
        #expect(results(1) != results(2))
    }

    @Test("leave the jobs as they are")
    func independence() {
        let plain = TestCaller(SandboxOptions(rate: 1e7))
        let faulty = TestCaller(SandboxOptions(rate: 1e7, faults: [(code: "A", probability: 0)]))
        #expect(plain.list().text == faulty.list().text)
    }
}
