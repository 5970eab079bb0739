import Gateway
import Testing

@testable import JobsProxy

@Suite("What a configuration says of refreshing")
struct RefreshConfigurationTests {
    private func cache(_ yaml: String) throws -> Configuration.Cache {
        try ConfigurationReader.read(Array("cache: \(yaml)\n".utf8), file: "c.yaml").get().cache
    }

    private func fault(_ yaml: String) -> String { faults("cache: \(yaml)\n").joined(separator: "\n") }

    @Test("is the share of the rate and the interval, and that it is off")
    func ahead() throws {
        #expect(try cache("{}").refreshAhead == RefreshSettings.off)
        #expect(try cache("{refreshAhead: {share: 0}}").refreshAhead.share == 0)
        let both = try cache("{refreshAhead: {share: 0.5, minInterval: 5s}}").refreshAhead
        #expect(both == RefreshSettings(share: 0.5, minInterval: 5_000_000_000))
        #expect(fault("{refreshAhead: {share: 1.5}}").contains("cache.refreshAhead.share: must be between 0 and 1"))
    }

    @Test("is a time to live that follows the changes, by a word or with its bounds")
    func adaptive() throws {
        let ttl = try cache(
            "{ttl: {operation: {ListDomains: auto, \"List*\": {min: 2s, max: 1h, staleness: 10%}, \"Describe*\": 5s}}}"
        ).ttl
        var bounds = AdaptiveTTL()
        #expect(ttl.operation["ListDomains"] == .adaptive(bounds))
        (bounds.min, bounds.max, bounds.staleness) = (2_000_000_000, 3_600_000_000_000, 0.1)
        #expect(ttl.operation["List*"] == .adaptive(bounds))
        #expect(ttl.operation["Describe*"] == .fixed(5_000_000_000))
        #expect(ttl.longest == bounds.max)
        #expect(ttl.isAdaptive)
    }

    @Test(
        "names what is wrong with it",
        arguments: [
            ("{min: 5s, max: 1s}", "min must not be longer than max"),
            ("{staleness: 0%}", "staleness: must be between"),
            ("{staleness: often}", "must be a part such as 0.05 or 5%"), ("{mid: 1s}", "unknown key"),
            ("automatic", "must be a duration"), ("{max: 24h}", "must stay below 24h together"),
        ])
    func problems(value: String, problem: String) {
        #expect(fault("{ttl: {operation: {ListDomains: \(value)}}}").contains(problem))
    }
}
