import Testing

@testable import Sandbox

@Suite("The quota")
struct QuotaTests {
    private static let second: Int64 = 1_000_000_000

    /// What each of `times` (nanoseconds) gets.
    private func admitted(_ options: SandboxOptions, _ times: [Int64]) -> [Bool] {
        var caller = TestCaller(options)
        return times.map { time in
            caller.now = time
            return caller.list(.listDomains).result == .ok
        }
    }

    @Test("admits a full bucket at once and then its rate")
    func rate() {
        let times: [Int64] = [0, 0, 0, 499_999_999, 500_000_000, 500_000_001, 1_000_000_000, 100 * Self.second]
        let expected = [true, true, false, false, true, false, true, true]
        #expect(admitted(SandboxOptions(), times) == expected)
    }

    @Test(
        "holds as many tokens as its burst, or as its rate, and one at least",
        arguments: [(2, nil, 2), (5, nil, 5), (0.5, nil, 1), (2, 1, 1), (2, 10, 10)] as [(Double, Double?, Int)])
    func burst(rate: Double, burst: Double?, tokens: Int) {
        let results = admitted(SandboxOptions(rate: rate, burst: burst), Array(repeating: 7, count: 20))
        #expect(results == (0..<20).map { $0 < tokens })
    }

    @Test("over a long time is never more than burst and rate, and not 1 % less")
    func longRun() {
        let times = (0..<10_000).map { Int64($0) * 10_000_000 }
        let count = admitted(SandboxOptions(), times).count { $0 }
        #expect((199...202).contains(count))
    }

    @Test("is shared by all operations of a group, good and bad calls alike")
    func sharing() {
        let caller = TestCaller(SandboxOptions(burst: 5))
        #expect(caller.list(.listDomains).result == .ok)
        #expect(caller.list(.listSpeakerEnrollmentJobs).result == .ok)
        #expect(caller.call("ListFraudsterRegistrationJobs", "{}").result == .clientError)
        #expect(caller.call("DescribeFraudsterRegistrationJob", "{}").result == .clientError)
        #expect(caller.call("DescribeSpeakerEnrollmentJob", "no JSON").result == .clientError)
        for operation in Operation.allCases { #expect(caller.list(operation).result == .throttled) }
    }

    @Test("comes before everything that a call says, and its errors say what the service says")
    func order() {
        let caller = TestCaller(SandboxOptions(burst: 1, faults: [(code: "InternalServerException", probability: 1)]))
        #expect(caller.call("ListDomains", "no JSON").errorType == "InternalServerException")
        let reply = caller.call("ListDomains", "no JSON")
        #expect(reply.status == 400)
        #expect(reply.errorType == "ThrottlingException")
        #expect(reply.text == ##"{"__type":"com.amazonaws.voiceid#ThrottlingException","Message":"Rate exceeded"}"##)
        #expect(caller.call(target: "VoiceID.Nothing", "{}").errorType == "UnknownOperationException")
    }

    @Test("is not used up by unknown operations")
    func unknown() {
        let caller = TestCaller(SandboxOptions(burst: 1))
        for _ in 0..<10 { _ = caller.call(target: "VoiceID.Nothing", "{}") }
        #expect(caller.list(.listDomains).result == .ok)
    }

    @Test("stands any clock", arguments: [Int64.min, -1, .max])
    func clocks(now: Int64) {
        #expect(admitted(SandboxOptions(), [0, now, 0]).count == 3)
    }
}
