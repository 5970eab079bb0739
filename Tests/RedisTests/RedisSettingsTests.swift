import Testing

@testable import Redis

@Suite("URLs and settings")
struct RedisSettingsTests {
    private static func settings(_ url: String) throws -> RedisSettings { try RedisSettings(urls: [url]) }

    static let good: [(String, RedisEndpoint, RedisCredentials?, Int, Bool)] = [
        ("redis://localhost", .tcp(host: "localhost", port: 6379), nil, 0, false),
        ("redis://localhost/", .tcp(host: "localhost", port: 6379), nil, 0, false),
        ("REDIS://a-b_c.example:1/15", .tcp(host: "a-b_c.example", port: 1), nil, 15, false),
        ("redis://10.0.0.1:65535", .tcp(host: "10.0.0.1", port: 65535), nil, 0, false),
        ("redis://[::1]", .tcp(host: "::1", port: 6379), nil, 0, false),
        ("rediss://[fe80::2]:7/1", .tcp(host: "fe80::2", port: 7), nil, 1, true),
        ("redis://:pw@h", .tcp(host: "h", port: 6379), RedisCredentials(user: nil, password: "pw"), 0, false),
        (
            "rediss://u:p%40%2f%25@h", .tcp(host: "h", port: 6379), RedisCredentials(user: "u", password: "p@/%"), 0,
            true
        ),
        ("redis://u:a@b:c@h:1", .tcp(host: "h", port: 1), RedisCredentials(user: "u", password: "a@b:c"), 0, false),
        ("unix:///run/redis.sock", .unix(path: "/run/redis.sock"), nil, 0, false),
        ("redis+unix:///a%20b?db=3", .unix(path: "/a b"), nil, 3, false),
        ("unix://u:p@/s@1?db=0", .unix(path: "/s@1"), RedisCredentials(user: "u", password: "p"), 0, false),
    ]

    @Test("name endpoint, credentials, database and TLS", arguments: good)
    func accepted(
        _ url: String, _ endpoint: RedisEndpoint, _ credentials: RedisCredentials?, _ database: Int, _ tls: Bool
    ) throws {
        let settings = try Self.settings(url)
        #expect(settings.target == .server(endpoint))
        #expect(settings.credentials == credentials)
        #expect(settings.database == database)
        #expect((settings.tls != nil) == tls)
    }

    static let bad: [(String, String)] = [
        ("", "there is no '://'"),
        ("localhost:6379", "there is no '://'"),
        ("redis:/h", "there is no '://'"),
        ("http://h", "the scheme is not known"),
        ("redis://", "the host is missing"),
        ("redis://:6379", "the host is missing"),
        ("redis://h h", "a blank"),
        ("redis://hö", "outside ASCII"),
        ("redis://h:0", "the port is no number"),
        ("redis://h:65536", "the port is no number"),
        ("redis://h:+1", "the port is no number"),
        ("redis://h:", "the port is no number"),
        ("redis://:sesame", "the host is missing"),
        ("redis://user:sesame", "the port is no number"),
        ("redis://user:ses/ame@h", "a '/' comes before the '@'"),
        ("redis://user:ses#ame@h", "it holds a '#'"),
        ("redis://user:ses%zzame@h", "two hexadecimal digits"),
        ("redis://user:sesame%ff@h", "no UTF-8"),
        ("redis://user@h", "a user without a password"),
        ("redis://user:@h", "the password is empty"),
        ("redis://[::1", "the ']'"),
        ("redis://[1.2.3.4]", "no IPv6 address"),
        ("redis://[::1]6379", "no IPv6 address"),
        ("redis://h/x", "the database is no number"),
        ("redis://h/1/2", "the database is no number"),
        ("redis://h/-1", "the database is no number"),
        ("redis://h/0?db=1", "no options"),
        ("unix://run/redis.sock", "must begin with '/'"),
        ("unix:///", "is empty or longer"),
        ("unix:///" + String(repeating: "a", count: 107), "is empty or longer"),
        ("unix:///s?x=1", "the only option"),
        ("unix:///s?db=", "the database is no number"),
    ]

    @Test("that are wrong say what is wrong, and quote no secret", arguments: bad)
    func refused(_ url: String, _ what: String) {
        let fault = #expect(throws: RedisSettingsFault.self) { try Self.settings(url) }
        let text = "\(fault.map { "\($0)" } ?? "")"
        #expect(text.hasPrefix("redis URL: ") && text.contains(what), "\(text)")
        #expect(!text.contains("ses") && !text.contains("ame@"))
    }

    @Test("of sentinels need the primary's name, and have their own credentials")
    func sentinels() throws {
        let settings = try RedisSettings(
            urls: ["redis://:s@a/2", "redis://b:1/2"], master: "m", username: "u", password: "p")
        let first = RedisSettings.Node(
            endpoint: .tcp(host: "a", port: 26379), credentials: RedisCredentials(user: nil, password: "s"))
        let second = RedisSettings.Node(endpoint: .tcp(host: "b", port: 1))
        #expect(settings.target == .sentinels([first, second], master: "m"))
        #expect(settings.credentials == RedisCredentials(user: "u", password: "p"))
        #expect(settings.database == 2)
    }

    @Test("contradict each other with a fault that names the place")
    func contradictions() {
        func fault(
            _ urls: [String], master: String? = nil, user: String? = nil, password: String? = nil, tls: RedisTLS? = nil
        ) -> String {
            do {
                _ = try RedisSettings(urls: urls, master: master, username: user, password: password, tls: tls)
                return "none"
            } catch { return "\(error)" }
        }
        #expect(fault([]).contains("no URL is given"))
        #expect(fault(["redis://a", "redis://b"]).contains("name the primary"))
        #expect(fault(["redis://a", "rediss://b"], master: "m").hasPrefix("redis URL 2 of 2: redis:// and rediss://"))
        #expect(fault(["redis://a/1", "redis://b"], master: "m").contains("the database differs"))
        #expect(fault(["redis://a"], master: "").hasPrefix("master: "))
        #expect(fault(["redis://a"], user: "u").hasPrefix("username: "))
        #expect(fault(["redis://:p@a"], password: "q").contains("remove one of them"))
        #expect(fault(["redis://a"], tls: RedisTLS(caBundle: "x")).contains("write rediss://"))
        #expect(fault(["redis://a"], password: "") == "none")
    }

    @Test("show no password")
    func description() throws {
        let settings = try RedisSettings(
            urls: ["rediss://root:sesame@a"], master: "m", username: "u", password: "tahini")
        for text in ["\(settings)", String(reflecting: settings), "\(settings.target)"] {
            #expect(!text.contains("sesame") && !text.contains("tahini"), "\(text)")
        }
        var dumped = ""
        dump(settings, to: &dumped)
        #expect(!dumped.contains("sesame") && !dumped.contains("tahini"))
    }

    @Test("of TLS name the file that cannot be used")
    func files() {
        func fault(_ tls: RedisTLS) -> String {
            do { try tls.check(); return "none" } catch { return "\(error)" }
        }
        #expect(fault(RedisTLS()) == "none")
        #expect(fault(RedisTLS(caBundle: "/none.pem")).hasPrefix("/none.pem: cannot be opened"))
        #expect(fault(RedisTLS(certificate: "/c.pem")).contains("has no key"))
        #expect(fault(RedisTLS(key: "/k.pem")).contains("has no certificate"))
        #expect(fault(RedisTLS(certificate: "/none.pem", key: "/k.pem")).hasPrefix("/none.pem"))
    }
}
