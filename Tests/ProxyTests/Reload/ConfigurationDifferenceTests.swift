import Foundation
import Testing

@testable import JobsProxy

@Suite("The difference of two configurations")
struct ConfigurationDifferenceTests {
    private func difference(_ old: String, _ new: String) throws -> (changed: [String], needsRestart: [String]) {
        let difference = ConfigurationDifference(
            from: try #require(configuration(old)), to: try #require(configuration(new)))
        func lines(_ changes: [ConfigurationDifference.Change]) -> [String] {
            changes.map { "\($0.key): \($0.old ?? "-") -> \($0.new ?? "-")" }
        }
        return (lines(difference.changed), lines(difference.needsRestart))
    }

    @Test("names each key with its values as the file writes them")
    func values() throws {
        let found = try difference(
            "limits: {caller: {rate: 5, burst: 10}}\n",
            """
            limits: {caller: {rate: 7, burst: 10}, queue: {maxWait: 90s}, operation: {ListDomains: {rate: 1, burst: 2}}}
            cache: {ttl: {operation: {ListDomains: auto}}}
            retry: {budget: {ratio: 0.2}}
            """.replacing("90s", with: "9s"))
        #expect(
            found.changed == [
                "retry.budget.ratio: 0.1 -> 0.2", "limits.caller.rate: 5.0 -> 7.0", "limits.queue.maxWait: 2s -> 9s",
                "limits.operation.ListDomains.rate: - -> 1.0", "limits.operation.ListDomains.burst: - -> 2",
                "limits.operation.ListDomains.shadow: - -> false",
            ])
        #expect(found.needsRestart.count == 1)
        #expect(found.needsRestart[0].hasPrefix("cache.ttl.operation.ListDomains: - -> {min: "))
    }

    @Test("is empty where only lines, comments or the order of callers differ")
    func order() throws {
        let a = "{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {env: A}}]}"
        let b = "{name: b, keys: [{accessKeyId: GWB, secretAccessKey: {env: B}}]}"
        let found = try difference("callers: [\(a), \(b)]\n", "# Moved\n\n\ncallers: [\(b), \(a)]\n")
        #expect(found.changed.isEmpty && found.needsRestart.isEmpty)
    }

    @Test("has a caller that comes or goes as one, and keys by the places of their secrets")
    func callers() throws {
        let a = "{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {env: A}}]}"
        let c = "{name: c.d, keys: [{accessKeyId: GWC, secretAccessKey: {file: /run/c}}]}"
        let found = try difference(
            "callers: [\(a), {name: b, keys: [{accessKeyId: GWB, secretAccessKey: {env: B}}]}]\n",
            "callers: [\(a.replacing("env: A", with: "env: A2")), \(c)]\n")
        #expect(
            found.changed == [
                "callers.a.keys: [{accessKeyID: GWA, secretAccessKey: {env: A}, sessionToken: null}] -> "
                    + "[{accessKeyID: GWA, secretAccessKey: {env: A2}, sessionToken: null}]",
                "callers.b: there -> -", "callers.c.d: - -> there",
            ])
    }

    @Test("names the rule for callers without a key if it changes, whatever the reason")
    func anonymous() throws {
        let callers = "callers: [{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {env: A}}]}]\n"
        #expect(
            try difference(callers, "callers: []\n").changed == [
                "callers.a: there -> -", "anonymous: deny -> loopback",
            ])
        #expect(try difference("anonymous: deny\n" + callers, "anonymous: deny\n").changed == ["callers.a: there -> -"])
        #expect(try difference(callers, "anonymous: allow\n" + callers).changed == ["anonymous: null -> allow"])
    }

    @Test("is refused for a file that may be half written, and has no token taken away")
    func halfWritten() throws {
        let callers = "callers: [{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {env: A}}]}]\n"
        let running = try #require(configuration("admin: {token: {env: T}}\n" + callers))
        for empty in ["", "# nothing\n", "---\n"] {
            let file = try #require(configuration(empty))
            #expect(running.refusals(ofReloadAs: file).first?.hasPrefix("the file has no keys") == true)
            #expect(try #require(configuration("")).refusals(ofReloadAs: file).isEmpty)
        }
        let file = try #require(configuration("callers: []\n"))
        #expect(running.refusals(ofReloadAs: file).isEmpty)
        #expect(running.reloaded(as: file).admin.token == running.admin.token)
        #expect(ConfigurationDifference(from: running, to: file).needsRestart.map(\.key) == ["admin.token"])
        let lines = CheckCommand.lines(from: running, to: try #require(configuration("admin: {token: {env: T}}\n")))
        #expect(lines.first?.hasPrefix("a reload refuses this, a restart does not: callers: ") == true)
        let many = (0...1000).map { "{name: n\($0), keys: [{accessKeyId: GW\($0), secretAccessKey: {env: A}}]}" }
        let grown = try #require(configuration("callers: [\(many.joined(separator: ", "))]\n"))
        #expect(CheckCommand.lines(from: running, to: grown).first?.contains("would have been 1002 ") == true)
    }

    @Test("says that addresses, services and what is shared need a restart, and that the rest does not")
    func restart() throws {
        let found = try difference(
            "services: [{catalog: voice-id, name: a}]\n",
            """
            listen: {address: "127.0.0.1:1", hosts: [x.example]}
            admin: {address: "127.0.0.1:2"}
            services:
              - {catalog: voice-id, name: a, region: eu-west-1, maxConnections: 3, headroom: 0.1, timeouts: {call: 20s}}
              - {catalog: voice-id, name: b, region: us-west-2}
            drain: {total: 20s, lameDuck: 1s}
            log: {level: debug}
            replicas: 2
            reload: watch
            """)
        #expect(
            found.changed == [
                "listen.hosts: [] -> [x.example]", "services.a.timeouts.call: 15s -> 20s",
                "services.a.headroom: 0.02 -> 0.1", "replicas: 1 -> 2", "drain.total: 25s -> 20s",
                "drain.lameDuck: null -> 1s", "reload: signal -> watch", "log.level: info -> debug",
            ])
        #expect(
            found.needsRestart == [
                "listen.address: 127.0.0.1:8080 -> 127.0.0.1:1", "admin.address: 127.0.0.1:9090 -> 127.0.0.1:2",
                "services.a.region: us-east-1 -> eu-west-1", "services.a.maxConnections: 32 -> 3",
                "services.b: - -> there",
            ])
    }

    @Test("keeps the time of a lame duck within the total, and gives one beyond loopback")
    func lameDuck() throws {
        #expect(configuration("drain: 8s\n")?.lameDuck == 0)
        let open = "listen: {address: \"0.0.0.0:1\"}\nanonymous: allow\n"
        #expect(configuration(open)?.lameDuck == 5 * .second)
        #expect(configuration(open + "drain: 8s\n")?.lameDuck == 2 * .second)
        #expect(configuration(open + "drain: {lameDuck: 0s}\n")?.lameDuck == 0)
        #expect(configuration("drain: {total: 9s, lameDuck: 9s}\n")?.lameDuck == 9 * .second)
        #expect(
            faults("drain: {total: 1s, lameDuck: 2s}\n") == [
                "1: drain.lameDuck: lameDuck (2s) must not be longer than total (1s): shorten lameDuck or lengthen total"
            ])
    }

    @Test("of secrets names the keys of those that are others, and shows none")
    func secrets() throws {
        let text = "callers: [{name: a, keys: [{accessKeyId: GWA, secretAccessKey: {env: A}}]}]\n"
        let file = try #require(configuration(text))
        let difference = ConfigurationDifference(
            from: file, to: file,
            secrets: (
                try SecretValues(file, environment: ["A": "canary-one"]),
                try SecretValues(file, environment: ["A": "canary-two"])
            ))
        #expect(difference.changed.map(\.key) == ["callers.a.keys"])
        #expect(!"\(difference) \(try SecretValues(file, environment: ["A": "canary-one"]))".contains("canary"))
    }
}

@Suite("A watch of files")
struct FileWatchTests {
    @Test("waits until a change has come to rest, and sees links that point elsewhere")
    func settles() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("watch-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in ["one", "two"] {
            let folder = directory.appendingPathComponent(name)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try "same".write(to: folder.appendingPathComponent("file"), atomically: true, encoding: .utf8)
        }
        let link = directory.appendingPathComponent("data").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "one")
        func stamps() -> [String: FileStamp?] { ["f": FileStamp(link + "/file")] }
        var watch = FileWatch()
        func look() -> Bool { watch.look(stamps()) }
        watch.note(stamps())
        #expect(!look())
        #expect(!look())
        try FileManager.default.removeItem(atPath: link)
        #expect(!look(), "the file is away")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "two")
        #expect(!look())
        #expect(look())
        watch.note(stamps())
        #expect(!look())
    }

    @Test("looks at the files that it was told of last, so one that comes or goes with them is no change")
    func files() {
        var watch = FileWatch()
        watch.note(["f": nil])
        watch.note(["f": nil, "secret": nil])
        #expect(Set(watch.files) == ["f", "secret"])
        func look() -> Bool { watch.look(.init(uniqueKeysWithValues: watch.files.map { ($0, nil) })) }
        #expect(!look())
        #expect(!look())
        watch.note(["f": nil])
        #expect(!look())
        #expect(!look())
    }
}
