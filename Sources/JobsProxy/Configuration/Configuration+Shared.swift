internal import Redis

extension Configuration {
    /// How gateways of one account share quotas and pages.
    struct Shared: Sendable, Equatable {
        /// The URL of a Redis, or those of sentinels.
        var redis: [String] = []
        /// The name by which sentinels know the primary.
        var master: String?
        var username: String?
        var password: SecretReference?
        /// Paths of PEM files, for `rediss://`.
        var caBundle: String?
        var certificate: String?
        var certificateKey: String?
        /// The deployment: gateways of one name share.
        var name = "default"
        /// Gateways that may run at the same time.
        var instances = 1
        /// The secret that pages are sealed with.
        var key: SecretReference?
        var pages = true
        var quotas = true
        var strict = false
        var timeout: Int64 = 250 * .millisecond
        var forget: Int64 = 600 * .second
        /// Its line in the file, for faults.
        var line = 1

        /// The settings of the client.
        ///
        /// - Throws: `RedisSettingsFault`.
        func client(password: String?) throws(RedisSettingsFault) -> RedisSettings {
            let tls =
                caBundle == nil && certificate == nil
                ? nil
                : RedisTLS(caBundle: caBundle, certificate: certificate, key: certificateKey ?? certificate)
            return try RedisSettings(urls: redis, master: master, username: username, password: password, tls: tls)
        }
    }
}

extension Configuration.Shared {
    /// The fewest bytes of the secret that pages are sealed with: as many as its key has.
    static let minimumKeyBytes = 32

    init(_ section: Mapping) {
        line = section.line
        section.texts("redis", orSingle: .text, &redis)
        section.require("redis", "is missing: the URL of a Redis, such as redis://localhost:6379")
        section.optional("master", .text, &master)
        section.optional("username", .text, &username)
        section.secret("password", &password)
        section.optional("caBundle", .text, &caBundle)
        section.optional("certificate", .text, &certificate)
        section.optional("certificateKey", .text, &certificateKey)
        section.value("name", .name, &name)
        section.value("instances", .whole(1...1_000), &instances)
        section.require("instances", "is missing: how many gateways may run at the same time")
        section.secret("key", &key)
        section.require("key", "is missing: the secret that pages are sealed with, as {env: NAME} or {file: PATH}")
        section.value("pages", .flag, &pages)
        section.value("quotas", .flag, &quotas)
        section.value("strict", .flag, &strict)
        section.value("timeout", .duration(from: 10 * .millisecond, to: 10 * .second), &timeout)
        section.value("forget", .duration(from: 10 * .second, to: 24 * .hour), &forget)
        section.check("redis", "master", "username", "password", "caBundle", "certificate") { clientProblem }
        section.check("certificateKey", "certificate") {
            certificateKey != nil && certificate == nil ? "stands without its certificate" : nil
        }
    }

    private var clientProblem: String? {
        guard !redis.isEmpty else { return nil }
        guard redis.allSatisfy({ !$0.utf8.contains(UInt8(ascii: "@")) }) else {
            return "must not hold a user or a password: give username, and password as {env: NAME} or {file: PATH}"
        }
        do throws(RedisSettingsFault) {
            // The password itself is not known yet.
            _ = try client(password: password == nil ? nil : "x")
            return nil
        } catch {
            return "\(error)"
        }
    }
}
