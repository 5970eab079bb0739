import StrictYAML
import TestSupport
import Testing

@testable import JobsProxy

@Suite("Hostile configurations")
struct HostileConfigurationTests {
    static let valid = """
        listen: { address: "127.0.0.1:8080" }
        http: { maxFields: 100, maxFieldBytes: 16KiB, headTimeout: 5s }
        services:
          - catalog: voice-id
            endpoint: https://voiceid.us-east-1.amazonaws.com   # the real one
            timeouts: { connect: 2s, attempt: 5s, call: 15s }
            headroom: 0.02
            quotas: { batch: { rate: 2, burst: 2 } }
        cache:
          ttl: { default: 10s, status: { COMPLETED: 30s }, operation: {} }
          negative:
            ResourceNotFoundException: 5s
        limits: { caller: { rate: 100 }, queue: { maxWait: 2s, maxDepth: 256 } }
        anonymous: 'loopback'
        log: { level: "info", access: errors }
        """

    /// What a fault must be, whatever the file: printable, on a line of the file or just past its end.
    private func judge(_ bytes: [UInt8]) {
        guard case .failure(let faults) = ConfigurationReader.read(bytes, file: "c.yaml") else { return }
        #expect(!faults.faults.isEmpty)
        let lines = bytes.count(where: { $0 == 0x0A || $0 == 0x0D }) + 2
        for fault in faults.faults where !(1...lines ~= fault.line) || fault.description.contains(where: \.isNewline) {
            Issue.record("\(fault.line) of \(lines): \(fault.description.debugDescription)")
        }
        #expect(faults.faults.map(\.line) == faults.faults.map(\.line).sorted())
    }

    @Test("are random bytes", arguments: 0..<8)
    func randomBytes(seed: Int) {
        var random = TestSupport.SeededGenerator(seed: UInt64(seed))
        for _ in 0..<250 {
            let count = Int.random(in: 0...200, using: &random)
            judge((0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        }
    }

    @Test("are random YAML", arguments: 0..<8)
    func randomTokens(seed: Int) {
        let tokens = [
            "a", "http", "services", ": ", ":", "- ", "-", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", "&x ",
            "*x", "!!int ",
            "? ", "'", "\"", "|\n", ">-\n", "# ", "%YAML 1.1\n", "---\n", "...\n", "<<", "~", "1s", "\\", "\t", "\r",
            "@", "`", "ü",
        ]
        var random = TestSupport.SeededGenerator(seed: UInt64(seed) &+ 1_000)
        for _ in 0..<250 {
            let text = (0..<Int.random(in: 1...60, using: &random)).compactMap { _ in
                tokens.randomElement(using: &random)
            }
            judge(Array(text.joined().utf8))
        }
    }

    @Test("are good ones with a few changes", arguments: 0..<8)
    func mutated(seed: Int) {
        let valid = Array(Self.valid.utf8)
        let marks = Array("{}[]:,-#&*!|>'\"%@`?\n\t \r09\\~".utf8)
        var random = TestSupport.SeededGenerator(seed: UInt64(seed) &+ 2_000)
        for _ in 0..<150 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes[place] = marks.randomElement(using: &random) ?? 0
                case 2: bytes.remove(at: place)
                case 3: bytes.insert(marks.randomElement(using: &random) ?? 0, at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
                }
            }
            judge(bytes)
        }
    }

    @Test("are cut anywhere")
    func truncated() {
        #expect(configuration(Self.valid) != nil)
        let valid = Array(Self.valid.utf8)
        for count in 0..<valid.count { judge(Array(valid[..<count])) }
    }

    struct Bomb: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String

        init(_ name: String, _ text: String) {
            testDescription = name
            self.text = text
        }

        init(_ name: String, _ text: String, times count: Int) {
            self.init(name, String(repeating: text, count: count))
        }
    }

    static let bombs = [
        Bomb("open brackets", "[", times: 100_000),
        Bomb("open braces", "{a: ", times: 30_000),
        Bomb("dashes", "- ", times: 50_000),
        Bomb("question marks", "? ", times: 50_000),
        Bomb("pairs in lists", "[a: ", times: 30_000),
        Bomb("closed brackets", String(repeating: "[", count: 900) + String(repeating: "]", count: 900)),
        Bomb("indentation", (0..<1_100).map { String(repeating: " ", count: $0) + "a:\n" }.joined()),
        Bomb("aliases", "a0: &a0 [x]\n" + (1...60).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()),
        Bomb("a long key", String(repeating: "k", count: 100_000) + ": 1"),
        Bomb("a long value", "drain: " + String(repeating: "9", count: 100_000)),
        Bomb("a long number", "services: [{headroom: 0." + String(repeating: "9", count: 100_000) + "}]"),
        Bomb("a long host", "listen: {address: '" + String(repeating: "a.", count: 50_000) + ":1'}"),
        Bomb("many groups", "listen: {address: '[" + String(repeating: "1:", count: 50_000) + "]:1'}"),
        Bomb("many keys", (0..<5_000).map { "k\($0): 1\n" }.joined()),
        Bomb("one key", "k: 1\n", times: 2_000),
        Bomb("many services", "services:\n" + String(repeating: "- x\n", count: 10_000)),
        Bomb("quotes", "'", times: 100_000),
        Bomb("colons", ": ", times: 50_000),
        Bomb("comments", "#\n", times: 50_000),
    ]

    @Test("are large or deep", arguments: bombs)
    func largeOrDeep(bomb: Bomb) {
        judge(Array(bomb.text.utf8))
    }
}
