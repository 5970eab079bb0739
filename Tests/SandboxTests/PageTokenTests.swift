import Testing

@testable import Sandbox

@Suite("A NextToken")
struct PageTokenTests {
    let caller = TestCaller()
    static let unknown = "Invalid NextToken: it was not issued here, or it was changed."
    static let otherOperation = "Invalid NextToken: it was issued by another operation."
    static let otherArguments =
        "Invalid NextToken: it was issued for other arguments; keep all but MaxResults unchanged."
    static let expired = "Invalid NextToken: it has expired; it was good for 24 hours."

    /// A token for the second page of seven of the first domain's completed registration jobs.
    var token: String { caller.list(status: .completed, size: 7).nextToken ?? "" }

    func expectRefused(_ reply: Reply, _ message: String, _ location: SourceLocation = #_sourceLocation) {
        #expect(reply.status == 400, sourceLocation: location)
        #expect(reply.errorType == "ValidationException", sourceLocation: location)
        #expect(reply.message == message, sourceLocation: location)
    }

    @Test(
        "that was never issued is refused",
        arguments: [
            "", "x", "null", "!", "=", "2", "AAAA", "../../etc/passwd", "NaN",
            String(repeating: "A", count: 77), String(repeating: "A", count: 8192),
        ])
    func neverIssued(token: String) {
        expectRefused(caller.list(status: .completed, size: 7, token: token), Self.unknown)
    }

    @Test("is refused if any character of it is changed, dropped or added")
    func changed() {
        let token = token
        #expect(token.utf8.count == 77)
        for place in 0..<77 {
            var characters = Array(token)
            characters[place] = characters[place] == "A" ? "B" : "A"
            expectRefused(caller.list(status: .completed, token: String(characters)), Self.unknown)
            characters.remove(at: place)
            expectRefused(caller.list(status: .completed, token: String(characters)), Self.unknown)
            characters.insert(contentsOf: "AA", at: place)
            expectRefused(caller.list(status: .completed, token: String(characters)), Self.unknown)
        }
        for addition in ["A", "=", "==", " ", "\n", "AAAA"] {
            expectRefused(caller.list(status: .completed, token: token + addition), Self.unknown)
        }
    }

    @Test("of another operation is refused")
    func otherOperation() {
        let domains = TestCaller(SandboxOptions(domains: 12, rate: 1e7))
        let domainToken = domains.list(.listDomains).nextToken
        expectRefused(caller.list(.listSpeakerEnrollmentJobs, status: .completed, token: token), Self.otherOperation)
        expectRefused(caller.list(.listDomains, token: token), Self.otherOperation)
        expectRefused(domains.list(token: domainToken), Self.otherOperation)
    }

    @Test("of other arguments is refused")
    func otherArguments() {
        let domains = caller.service.account.domains.map(\.id.text)
        expectRefused(caller.list(domain: domains[1], status: .completed, token: token), Self.otherArguments)
        expectRefused(caller.list(status: .failed, token: token), Self.otherArguments)
        expectRefused(caller.list(token: token), Self.otherArguments)
        expectRefused(caller.list(status: .completed, token: caller.list().nextToken), Self.otherArguments)
    }

    @Test("of another sandbox is refused, of a restarted one is not")
    func otherSandbox() {
        let foreign = TestCaller(SandboxOptions(seed: 2, rate: 1e7)).list().nextToken
        expectRefused(caller.list(token: foreign), Self.unknown)
        #expect(TestCaller().list(status: .completed, token: token).status == 200)
    }

    @Test("allows another page size")
    func otherSize() {
        let all = caller.list(status: .completed, size: 100).jobs
        #expect(caller.list(status: .completed, size: 20, token: token).jobs == Array(all[7..<27]))
        #expect(caller.list(status: .completed, size: 1, token: token).jobs == [all[7]])
        #expect(caller.list(status: .completed, token: token).jobs.first == all[7])
    }

    @Test("can be used again and again")
    func reuse() {
        let token = token
        #expect(
            caller.list(status: .completed, token: token).text == caller.list(status: .completed, token: token).text)
    }

    @Test(
        "lives for 24 hours",
        arguments: [(0, true), (86_399, true), (86_400, false), (1_000_000_000, false), (-5, true)])
    func lifetime(age: Int64, isGood: Bool) {
        let token = token
        var later = caller
        later.wallClock += age
        let reply = later.list(status: .completed, token: token)
        if isGood { #expect(reply.status == 200) } else { expectRefused(reply, Self.expired) }
    }

    @Test("survives any clock", arguments: [Int64.min, .max])
    func clocks(wallClock: Int64) {
        let token = token
        var odd = caller
        odd.wallClock = wallClock
        #expect([200, 400].contains(odd.list(status: .completed, token: token).status))
        #expect(odd.list(status: .completed, size: 7).status == 200)
    }

    @Test("is looked at after its domain")
    func unknownDomain() {
        let reply = caller.list(domain: String(repeating: "0", count: 22), token: "x")
        #expect(reply.errorType == "ResourceNotFoundException")
    }
}
