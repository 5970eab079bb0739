import Glibc
import NIOTestSupport
import Synchronization
import TestSupport
import Testing

@Suite("After a write through the gateway", .timeLimit(.minutes(2)))
struct CoherenceTests {
    /// An account whose pages say how many writes their domain has seen. It takes its time, at random, before and after
    /// each step; every eighth write takes effect and fails all the same.
    private final class Account: Sendable {
        private let domains = Mutex<[String: Int]>([:])
        private let writes = Mutex<[String: Int]>([:])

        /// What its domain had seen when a write had taken effect.
        func version(after write: String) -> Int? { writes.withLock { $0[write] } }

        func answer(_ request: ScriptedOrigin.Request) -> ScriptedOrigin.Step {
            let domain = Self.member("DomainId", request.text)
            pause()
            guard request["X-Amz-Target"]?.hasSuffix("StartFraudsterRegistrationJob") == true else {
                let version = domains.withLock { $0[domain] ?? 0 }
                pause()
                return .reply(body: "{\"JobSummaries\":[],\"Version\":\"\(version)\"}")
            }
            let version = domains.withLock { domains in
                domains[domain, default: 0] += 1
                return domains[domain] ?? 0
            }
            writes.withLock { $0[Self.member("JobName", request.text)] = version }
            pause()
            switch Int.random(in: 0..<16) {
            case 0: return .reply(status: 500, body: "{\"__type\":\"InternalServerException\"}")
            case 1: return .close
            default: return .reply(body: "{}")
            }
        }

        private func pause() { usleep(UInt32.random(in: 0..<1500)) }

        static func member(_ name: String, _ text: String) -> String {
            let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
            return parts.firstIndex { $0 == name }.map { String(parts[$0 + 2]) } ?? ""
        }
    }

    /// One of sixteen attempts fails: five in a row are rare, and would open the breaker, which is not what this is about.
    private static func configuration(_ url: String) -> String {
        TestGateway.service(url) + "retry: {maxAttempts: 1}\nbreaker: {failures: 1000}\n"
    }

    /// What the clients saw.
    private final class Tally: Sendable {
        let tries = Atomic<Int>(0)
        /// Pages that were older than the write before them.
        let old = Atomic<Int>(0)
        /// Pages that nobody fetched for this client.
        let shared = Atomic<Int>(0)
    }

    private static func write(_ domain: Character, _ name: String) -> String {
        let uri = "{\"S3Uri\":\"s3://bucket/key\"}"
        return query(
            domain: domain,
            more: ",\"JobName\":\"\(name)\",\"InputDataConfig\":\(uri),\"OutputDataConfig\":\(uri),"
                + "\"DataAccessRoleArn\":\"arn:aws:iam::123456789012:role/r\"")
    }

    /// Writes and lists 250 times.
    private static func go(_ number: Int, _ gateway: TestGateway, _ account: Account, _ tally: Tally) async throws {
        let client = try await gateway.client()
        for round in 0..<250 {
            let domain = Character(UnicodeScalar(UInt8(ascii: "A") + UInt8((number + round) % 12)))
            let name = "w\(number)-\(round)"
            _ = try await client.post("StartFraudsterRegistrationJob", write(domain, name))
            let least = try #require(account.version(after: name))
            for _ in 0..<2 {
                let page = try await client.post("ListFraudsterRegistrationJobs", query(domain: domain))
                let version = try #require(Int(Account.member("Version", page.text)))
                if version < least { tally.old.add(1, ordering: .relaxed) }
                let status = page.fields["cache-status"] ?? ""
                if status.contains("hit") || status.contains("collapsed") {
                    tally.shared.add(1, ordering: .relaxed)
                }
            }
            tally.tries.add(1, ordering: .relaxed)
        }
        try await client.close()
    }

    @Test("no list shows what was before it: 10,000 tries at once, an origin with random delays, writes that fail")
    func writeThenList() async throws {
        let account = Account()
        let tally = Tally()
        try await ScriptedOrigin.run({ request, _ in account.answer(request) }) { origin in
            try await TestGateway.run(Self.configuration(origin.url)) { gateway in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<40 { group.addTask { try await Self.go(number, gateway, account, tally) } }
                    try await group.waitForAll()
                }
            }
        }
        #expect(tally.tries.load(ordering: .relaxed) == 10_000)
        #expect(tally.old.load(ordering: .relaxed) == 0)
        #expect(tally.shared.load(ordering: .relaxed) > 2000, "the cache and its flights had their part in it")
    }
}
