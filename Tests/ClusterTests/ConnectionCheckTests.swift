import Foundation
import Redis
import TestSupport
import Testing

@testable import Cluster

@Suite("A trial of the settings", .enabled(if: FileManager.default.isExecutableFile(atPath: LocalRedis.program)))
struct ConnectionCheckTests {
    /// What docs/cluster.md says that a user needs.
    private static let rights = ["+@read", "+@write", "+@scripting", "+@connection", "+time", "+info", "+role"]

    private func fault(_ redis: LocalRedis, rights: [String], user: String = "proxy") async throws -> String? {
        let words = ["ACL", "SETUSER", user, "reset", "on", ">secret", "~jp1:*"] + rights
        let reply = try redis.call(words.map { Array($0.utf8) })
        #expect(reply?.text == "OK")
        let settings = ClusterSettings(
            redis: try redis.settings(user: "proxy", password: "secret"), name: "test", instances: 3,
            key: Array(repeating: 7, count: 32),
            maxWait: 2 * second)
        return await ConnectionCheck(settings).fault()
    }

    @Test("finds nothing where the user has the rights that are documented, and names them where one is missing")
    func rights() async throws {
        let redis = try LocalRedis()
        defer { redis.stop() }
        #expect(try await fault(redis, rights: Self.rights) == nil)
        for missing in ["@read", "@write", "@scripting", "time", "info"] {
            let found = try await fault(redis, rights: Self.rights + ["-\(missing)"])
            #expect(found?.contains("the user needs ~jp1:*") == true, "without \(missing): \(found ?? "nothing")")
        }
    }

    @Test("tells why Redis is not reached")
    func unreachable() async throws {
        let redis = try LocalRedis()
        defer { redis.stop() }
        let found = try await fault(redis, rights: ["+@all"], user: "other")
        #expect(found?.contains("WRONGPASS") == true)
    }
}
