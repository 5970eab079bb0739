import Testing

@testable import Redis

@Suite("The name in a server's certificate")
struct ServerNameTests {
    static let names: [(String, String, Bool)] = [
        ("redis.test", "redis.test", true), ("Redis.Test", "rEDIS.tEST", true), ("redis.test.", "redis.test", true),
        ("redis.test", "redis.test.", true), ("localhost", "localhost", true),
        ("a.redis.test", "*.redis.test", true), ("a.b.redis.test", "*.redis.test", false),
        ("redis.test", "*.redis.test", false), ("redis.test", "*.test", false), ("test", "*", false),
        ("a.redis.test", "a*.redis.test", false), ("a.redis.test", "*", false), ("a.redis.test", "a.*.test", false),
        ("redis.test", "redis.tes", false), ("redis.test", "xredis.test", false), ("redis.test", "", false),
        ("k.test", "\u{212a}.test", false),
    ]

    @Test("is the host's, or has a whole label's wildcard at the front", arguments: names)
    func comparison(_ host: String, _ pattern: String, _ isMatch: Bool) {
        #expect(ServerName(host).matches(pattern.utf8) == isMatch)
    }
}
