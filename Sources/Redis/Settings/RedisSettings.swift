/// How a client finds its server, and what it expects of it.
public struct RedisSettings: Sendable, Equatable {
    /// An endpoint, and the credentials for it.
    struct Node: Sendable, Equatable {
        var endpoint: RedisEndpoint
        var credentials: RedisCredentials?
    }

    enum Target: Sendable, Equatable {
        case server(RedisEndpoint)
        /// Sentinels that name the primary of `master`. Never empty.
        case sentinels([Node], master: String)
    }

    let target: Target
    /// The credentials for the server; sentinels have their own.
    let credentials: RedisCredentials?
    public let database: Int
    /// `nil` for connections without TLS.
    public let tls: RedisTLS?

    /// True if a replica is refused.
    public var requiresPrimary = true
    /// The time in nanoseconds for the lookup and the connection, and again for the TLS handshake and the greeting; for each sentinel and
    /// the server.
    public var connectTimeout: Int64 = 1_000_000_000
    /// The bounds of the pause before the first attempt and between the last ones, in nanoseconds; see `ReconnectMachine`.
    public var pauses: ClosedRange<Int64> = 50_000_000...2_000_000_000
    /// The calls that may be outstanding. Another one fails with `overloaded`.
    public var maxOutstandingCalls = 4096
    /// The bytes of commands that may be outstanding. A call that exceeds them while others are outstanding fails with `overloaded`.
    public var maxOutstandingBytes = 32 << 20
    /// The bytes of a bulk string in a reply. A longer one closes the connection.
    public var maxBulkBytes = 2 << 20
    /// The bytes of a reply. A longer one closes the connection.
    public var maxReplyBytes = 8 << 20

    /// - Parameters:
    ///   - urls: `redis://[[user]:password@]host[:6379][/database]`, `rediss://…` with TLS, `unix://[[user]:password@]/path[?db=database]`
    ///     or `redis+unix://…`. With `master`, the URLs of sentinels, with the sentinels' credentials; the port is 26379 then. In the user,
    ///     the password and the path bytes may be percent-encoded.
    ///   - master: the name by which sentinels know the primary.
    ///   - username: the user for the server, if the URL names none. Needs a password.
    ///   - password: the password for the server, if the URL has none.
    ///   - tls: the files of TLS. Without it, `rediss://` verifies the server by the system's authorities.
    /// - Throws: `RedisSettingsFault`, whose description shows no part of a URL that may be a secret.
    public init(
        urls: [String], master: String? = nil, username: String? = nil, password: String? = nil, tls: RedisTLS? = nil
    ) throws(RedisSettingsFault) {
        guard !urls.isEmpty else {
            throw RedisSettingsFault("redis", "no URL is given; write for example redis://localhost:6379")
        }
        guard master != nil || urls.count == 1 else {
            throw RedisSettingsFault(
                "redis",
                "\(urls.count) URLs are given, which must be sentinels; name the primary that they watch (master)")
        }
        var parsed: [RedisURL] = []
        for (index, text) in urls.enumerated() {
            let place = urls.count == 1 ? "redis URL" : "redis URL \(index + 1) of \(urls.count)"
            let url = try RedisURL(text, defaultPort: master == nil ? 6379 : 26379, place: place)
            if let first = parsed.first, first.isSecure != url.isSecure {
                throw RedisSettingsFault(place, "redis:// and rediss:// are mixed; use one of them for all sentinels")
            }
            if let first = parsed.first, first.database != url.database {
                throw RedisSettingsFault(
                    place, "the database differs from the first URL's; all name the primary's database")
            }
            parsed.append(url)
        }
        let first = parsed[0]
        if tls != nil, !first.isSecure {
            throw RedisSettingsFault(
                "redis URL", "files for TLS are given, but the URL does not ask for TLS; write rediss://")
        }
        let given = try Self.credentials(username, password)
        if let master {
            guard !master.isEmpty, !master.utf8.contains(where: { $0 <= 0x20 }) else {
                throw RedisSettingsFault("master", "the name is empty or holds a blank; write it as in sentinel.conf")
            }
            target = .sentinels(
                parsed.map { Node(endpoint: $0.endpoint, credentials: $0.credentials) }, master: master)
            credentials = given
        } else {
            guard given == nil || first.credentials == nil else {
                throw RedisSettingsFault("redis URL", "a password is given here and beside it; remove one of them")
            }
            target = .server(first.endpoint)
            credentials = given ?? first.credentials
        }
        database = first.database ?? 0
        self.tls = first.isSecure ? tls ?? RedisTLS() : nil
    }

    private static func credentials(
        _ username: String?, _ password: String?
    ) throws(RedisSettingsFault) -> RedisCredentials? {
        if let password, !password.isEmpty { return RedisCredentials(user: username, password: password) }
        guard username == nil else {
            throw RedisSettingsFault("username", "a user without a password cannot log in; add the password")
        }
        return nil
    }
}

/// The reason why settings cannot be used, for the operator. It holds no part of a URL that may be a secret.
public struct RedisSettingsFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting, or the file.
    public let place: String
    /// The fault and its remedy, as a clause that follows the place.
    public let what: String

    init(_ place: String, _ what: String) {
        self.place = place
        self.what = what
    }

    public var description: String { "\(place): \(what)" }
}
