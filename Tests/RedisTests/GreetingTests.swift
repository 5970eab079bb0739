import Testing

@testable import Redis

@Suite("The greeting of a server")
struct GreetingTests {
    private typealias Verdict = Greeting.Verdict

    private static func greeting(_ url: String = "redis://u:sesame@h/3", requiresPrimary: Bool = true) throws
        -> Greeting
    {
        var settings = try RedisSettings(urls: [url])
        settings.requiresPrimary = requiresPrimary
        return Greeting(settings, name: "gateway")
    }

    private static func error(_ text: String) -> Result<RESPValue, RedisError> {
        .failure(.server(RedisServerError(text.utf8)))
    }

    private static func role(_ name: String) -> Result<RESPValue, RedisError> {
        .success(.array([.bulk(Array(name.utf8)), .integer(0), .array([])]))
    }

    @Test("logs in, selects, names the connection and asks for the role")
    func steps() throws {
        #expect(try Self.greeting().steps == [.authenticate, .select, .setName, .role])
        #expect(try Self.greeting("redis://h").steps == [.setName, .role])
        let greeting = try Self.greeting()
        #expect(greeting.command(.authenticate).bytes == RedisCommand(text: "AUTH", "u", "sesame").bytes)
        #expect(try Self.greeting("redis://:p@h").command(.authenticate).bytes == RedisCommand(text: "AUTH", "p").bytes)
        #expect(greeting.command(.select).bytes == RedisCommand(text: "SELECT", "3").bytes)
        #expect(greeting.command(.setName).bytes == RedisCommand(text: "CLIENT", "SETNAME", "gateway").bytes)
    }

    @Test("accepts a primary only, unless replicas will do")
    func roles() throws {
        let strict = try Self.greeting()
        let lax = try Self.greeting(requiresPrimary: false)
        #expect(strict.verdict(.role, Self.role("master")) == .ready)
        #expect(strict.verdict(.role, Self.role("slave")) == .failed(.notPrimary("replica")))
        #expect(lax.verdict(.role, Self.role("slave")) == .ready)
        for greeting in [strict, lax] {
            guard case .failed(.configuration(let text)) = greeting.verdict(.role, Self.role("sentinel")) else {
                Issue.record("a sentinel is accepted")
                return
            }
            #expect(text.contains("is a sentinel"))
            #expect(greeting.verdict(.role, .success(.null)) == .failed(.notPrimary("server without a role")))
        }
    }

    @Test("asks INFO where ROLE is not allowed or not known")
    func information() throws {
        let greeting = try Self.greeting()
        #expect(greeting.verdict(.role, Self.error("NOPERM no")) == .send(.information))
        #expect(greeting.verdict(.role, Self.error("ERR unknown command")) == .send(.information))
        let info = { (role: String) in
            Result<RESPValue, RedisError>.success(.bulk(Array("# Replication\r\nrole:\(role)\r\nx:1\r\n".utf8)))
        }
        #expect(greeting.verdict(.information, info("master")) == .ready)
        #expect(greeting.verdict(.information, info("slave")) == .failed(.notPrimary("replica")))
        guard case .failed(.configuration(let text)) = greeting.verdict(.information, Self.error("NOPERM no")) else {
            Issue.record("no fault")
            return
        }
        #expect(text.contains("+role"))
        #expect(try Self.greeting(requiresPrimary: false).verdict(.information, Self.error("NOPERM no")) == .ready)
    }

    @Test("goes on without a name")
    func name() throws {
        #expect(try Self.greeting().verdict(.setName, Self.error("ERR Client names cannot contain spaces")) == .more)
        #expect(try Self.greeting().verdict(.setName, Self.error("NOPERM no")) == .more)
        #expect(try Self.greeting().verdict(.setName, .failure(.timeout)) == .failed(.timeout))
        // A server says these before it has read anything.
        let full = RedisServerError("ERR max number of clients reached".utf8)
        #expect(try Self.greeting().verdict(.setName, .failure(.server(full))) == .failed(.server(full)))
        #expect(try Self.greeting().verdict(.authenticate, .failure(.server(full))) == .failed(.server(full)))
        guard case .failed(.configuration) = try Self.greeting().verdict(.setName, Self.error("DENIED protected mode"))
        else {
            Issue.record("protected mode is overlooked")
            return
        }
    }

    @Test(
        "says what to change, without the password that a server quotes",
        arguments: [
            ("WRONGPASS invalid username-password pair or user is disabled.", "is wrong"),
            ("ERR invalid password", "is wrong"),
            ("ERR unknown command `AUTH`, with args beginning with: `sesame`", "refuses AUTH (ERR)"),
            ("ERR Client sent AUTH, but no password is set", "refuses AUTH (ERR)"),
        ])
    func refusals(_ text: String, _ what: String) throws {
        guard case .failed(.configuration(let told)) = try Self.greeting().verdict(.authenticate, Self.error(text))
        else {
            Issue.record("no fault")
            return
        }
        #expect(told.contains(what) && !told.contains("sesame"), "\(told)")
    }

    @Test("tells what is down from what is wrong")
    func down() throws {
        let greeting = try Self.greeting()
        let loading = RedisServerError("LOADING Redis is loading".utf8)
        for step in [Greeting.Step.authenticate, .select, .role, .information] {
            #expect(greeting.verdict(step, .failure(.server(loading))) == .failed(.server(loading)))
        }
        for step in [Greeting.Step.select, .role] {
            guard case .failed(.configuration) = greeting.verdict(step, Self.error("NOAUTH Authentication required."))
            else {
                Issue.record("\(step)")
                return
            }
        }
        guard
            case .failed(.configuration(let text)) = greeting.verdict(
                .select, Self.error("ERR DB index is out of range"))
        else {
            Issue.record("no fault")
            return
        }
        #expect(text.contains("database 3"))
    }
}
