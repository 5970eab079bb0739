/// What is asked of a server before its connection is used: the commands, and what their replies mean.
struct Greeting {
    enum Step: Equatable {
        case authenticate, select, setName, role, information
    }

    enum Verdict: Equatable {
        case more
        case ready
        case failed(RedisError)
        /// The command of another step has to be sent.
        case send(Step)
    }

    private let settings: RedisSettings
    private let name: String

    init(_ settings: RedisSettings, name: String) {
        self.settings = settings
        self.name = name
    }

    /// The steps that are sent at once. The last one decides.
    var steps: [Step] {
        var steps: [Step] = settings.credentials == nil ? [] : [.authenticate]
        if settings.database != 0 { steps.append(.select) }
        return steps + [.setName, .role]
    }

    func command(_ step: Step) -> RedisCommand {
        switch step {
        case .authenticate: Self.authentication(settings.credentials)
        case .select: RedisCommand(text: "SELECT", "\(settings.database)")
        case .setName: RedisCommand(text: "CLIENT", "SETNAME", name)
        case .role: RedisCommand(text: "ROLE")
        case .information: RedisCommand(text: "INFO", "replication")
        }
    }

    static func authentication(_ credentials: RedisCredentials?) -> RedisCommand {
        let words = [credentials?.user, credentials?.password].compactMap(\.self)
        return RedisCommand("AUTH", words.map { Array($0.utf8) })
    }

    /// The meaning of a step's reply.
    func verdict(_ step: Step, _ result: Result<RESPValue, RedisError>) -> Verdict {
        switch (step, result) {
        case (.setName, .failure(.server(let error))) where error.kind != .down && error.code != "DENIED":
            // A name with a blank, or a user without the right to set one: the connection works without it.
            return .more
        case (.setName, .success), (.authenticate, .success), (.select, .success):
            return .more
        case (.authenticate, .failure(.server(let error))):
            return .failed(error.kind == .down ? .server(error) : Self.refusedAuthentication(error))
        case (.select, .failure(.server(let error))) where error.kind != .down:
            return .failed(.configuration("database \(settings.database) cannot be selected: \(error)"))
        case (.role, .failure(.server(let error))) where error.kind != .down && error.code != "NOAUTH":
            // ROLE is of the category @admin, which users often lack; or the server does not know it.
            return .send(.information)
        case (.information, .failure(.server(let error))) where error.code == "NOPERM":
            return settings.requiresPrimary
                ? .failed(.configuration("the user may call neither ROLE nor INFO; grant one of them: +role")) : .ready
        case (_, .failure(.server(let error))) where error.kind == .configuration:
            return .failed(.configuration("the server refuses this client: \(error)"))
        case (_, .failure(let error)):
            return .failed(error)
        case (.role, .success(let value)):
            return ofRole(value.array?.first?.text)
        case (.information, .success(let value)):
            let lines = value.text?.split(whereSeparator: \.isNewline) ?? []
            return ofRole(lines.first { $0.hasPrefix("role:") }.map { String($0.dropFirst(5)) })
        }
    }

    private func ofRole(_ role: String?) -> Verdict {
        guard let role, ["master", "slave", "replica", "sentinel"].contains(role) else {
            return .failed(.notPrimary("server without a role"))
        }
        if role == "sentinel" {
            return .failed(
                .configuration("the server is a sentinel; give its URL together with the primary's name (master)"))
        }
        return role == "master" || !settings.requiresPrimary ? .ready : .failed(.notPrimary("replica"))
    }

    /// The error of a refused `AUTH`. The server's text may quote the password ("unknown command … with args beginning with"), so
    /// only the code is kept.
    static func refusedAuthentication(_ error: RedisServerError) -> RedisError {
        if error.code == "WRONGPASS" || error.text.hasPrefix("ERR invalid password") {
            return .configuration("the user or the password is wrong (WRONGPASS)")
        }
        return .configuration(
            "the server refuses AUTH (\(error.code.prefix(32))): does it have this user, or a password at all?")
    }
}
