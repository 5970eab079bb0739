import Foundation
import Gateway
import Logging
import NIOTestSupport
import Synchronization
import TestSupport
import Testing

@testable import JobsProxy

@Suite("A warm restart", .timeLimit(.minutes(1)))
struct SnapshotTests {
    private static let start =
        "{\"DomainId\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"ClientToken\":\"t\",\"DataAccessRoleArn\":"
        + "\"arn:aws:iam::123456789012:role/r\",\"InputDataConfig\":{\"S3Uri\":\"s3://input\"},"
        + "\"OutputDataConfig\":{\"S3Uri\":\"s3://output\"}}"

    /// A directory that is gone afterwards.
    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "jobs-proxy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private func configuration(_ url: String, _ directory: String, name: String = "voice-id") -> String {
        TestGateway.service(url, timeouts: "{connect: 300ms, attempt: 300ms, call: 500ms}").replacing(
            "catalog: voice-id", with: "catalog: voice-id, name: \(name)")
            + "cache: {snapshot: \"\(directory)/pages\"}\n"
    }

    private func files(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    @Test("serves the pages of the run before while the upstream is down, to nobody else readable")
    func restart() async throws {
        try await withDirectory { directory in
            var url = ""
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                url = origin.url
                try await TestGateway.run(configuration(url, directory)) { gateway in
                    for domain in "ABC" { _ = try await gateway.page(query(domain: domain)) }
                }
            }
            #expect(try files(directory) == ["pages", "pages.epochs"])
            let mode = try FileManager.default.attributesOfItem(atPath: directory + "/pages")[.posixPermissions]
            #expect(mode as? Int == 0o600)
            try await TestGateway.run(configuration(url, directory)) { gateway in
                #expect(try await gateway.metric("jobsproxy_cache_pages") == 3)
                for domain in "ABC" {
                    let page = try await gateway.page(query(domain: domain))
                    #expect(page.text == "{\"For\":\(query(domain: domain))}")
                    #expect(page.fields["cache-status"]?.contains("hit; ttl=-") == true)
                }
                #expect(try await gateway.page(query(domain: "D")).status == 500)
            }
        }
    }

    @Test(
        "does not bring back what a write has made void, however the process ends, and keeps the rest",
        arguments: [("StartFraudsterRegistrationJob", start, 1), ("SomethingOutsideTheCatalog", "{}", 0)])
    func write(operation: String, body: String, left: Int) async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in
                request["X-Amz-Target"]?.hasSuffix(operation) == true
                    ? .stall : .reply(body: "{\"For\":\(request.text)}")
            }) { origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { gateway in
                    for domain in "AB" { _ = try await gateway.page(query(domain: domain)) }
                }
                try await TestGateway.run(keeps) { gateway in
                    let snapshots = try #require(gateway.assembly.snapshots)
                    async let write = gateway.call(operation, body)
                    while origin.requests.count < 3 { try await Task.sleep(for: .milliseconds(1)) }
                    // The write is at the origin: were the process killed now, this is what would be left.
                    try await expectPages(Double(left), after: directory, keeps)
                    // So it is with a snapshot that is made meanwhile, and with one after the write.
                    let early = try snapshots.save(gateway.assembly.gate.cache)
                    #expect(early == left)
                    try await expectPages(Double(left), after: directory, keeps)
                    let status = try await write.status
                    #expect(status == 500)
                    let late = try snapshots.save(gateway.assembly.gate.cache)
                    #expect(late == left)
                    try await expectPages(Double(left), after: directory, keeps)
                }
            }
        }
    }

    /// Starts a gateway on a copy of the files, as they were left by one that was killed.
    private func expectPages(_ count: Double, after directory: String, _ configuration: String) async throws {
        try await withDirectory { copy in
            for file in ["pages", "pages.epochs"] {
                try FileManager.default.copyItem(atPath: "\(directory)/\(file)", toPath: "\(copy)/\(file)")
            }
            try await TestGateway.run(configuration.replacing(directory, with: copy)) { gateway in
                let pages = try await gateway.metric("jobsproxy_cache_pages")
                #expect(pages == count)
            }
        }
    }

    @Test("does not bring back what was written through the next gateway while the one before was ending")
    func handOver() async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { old in
                    for domain in "AB" { _ = try await old.page(query(domain: domain)) }
                    _ = try old.assembly.snapshots?.save(old.assembly.gate.cache)
                    try await TestGateway.run(keeps) { new in
                        let pages = try await new.metric("jobsproxy_cache_pages")
                        #expect(pages == 2)
                        let status = try await new.call("StartFraudsterRegistrationJob", Self.start).status
                        #expect(status == 200)
                        // The old one saves its pages after the write of the new one, here and last of all.
                        _ = try old.assembly.snapshots?.save(old.assembly.gate.cache)
                        try await expectPages(1, after: directory, keeps)
                    }
                }
                try await TestGateway.run(keeps) { gateway in
                    let pages = try await gateway.metric("jobsproxy_cache_pages")
                    #expect(pages == 1)
                }
            }
        }
    }

    @Test("tells a gateway that goes on of what is written through the next one")
    func twoAtOnce() async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { old in
                    for domain in "AB" { _ = try await old.page(query(domain: domain)) }
                    try await TestGateway.run(keeps) { new in
                        let status = try await new.call("StartFraudsterRegistrationJob", Self.start).status
                        #expect(status == 200)
                    }
                    old.assembly.snapshots?.refresh(old.assembly.gate.cache)
                    let first = try await old.page(query()).fields["cache-status"]
                    #expect(first == "jobs-proxy; fwd=miss")
                    let second = try await old.page(query(domain: "B")).fields["cache-status"]?.contains("hit")
                    #expect(second == true)
                }
            }
        }
    }

    @Test("sends no write before a snapshot is out of date that cannot be made void")
    func unwritable() async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { gateway in
                    // What cannot be opened cannot be written, as on a file system that has become read-only.
                    try FileManager.default.moveItem(
                        atPath: directory + "/pages.epochs", toPath: directory + "/elsewhere")
                    try FileManager.default.createDirectory(
                        atPath: directory + "/pages.epochs", withIntermediateDirectories: false)
                    // The call's time is over before the five seconds are.
                    let held = try await gateway.call("StartFraudsterRegistrationJob", Self.start)
                    #expect(held.status == 500)
                    #expect(origin.requests.isEmpty)
                    try FileManager.default.removeItem(atPath: directory + "/pages.epochs")
                    try FileManager.default.moveItem(
                        atPath: directory + "/elsewhere", toPath: directory + "/pages.epochs")
                    let sent = try await gateway.call("StartFraudsterRegistrationJob", Self.start)
                    #expect(sent.status == 200)
                }
            }
        }
    }

    @Test("is due as before after a failed attempt to write it")
    func failedSave() async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                try await TestGateway.run(configuration(origin.url, directory)) { gateway in
                    let (snapshots, cache) = (try #require(gateway.assembly.snapshots), gateway.assembly.gate.cache)
                    _ = try await gateway.call("StartFraudsterRegistrationJob", Self.start)
                    #expect(snapshots.writesSinceSaved == 1)
                    // A directory in the place of the file that is written first.
                    let obstacle = directory + "/pages.new"
                    try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
                    #expect(throws: FileError.self) { try snapshots.save(cache) }
                    #expect(snapshots.writesSinceSaved == 1)
                    try FileManager.default.removeItem(atPath: obstacle)
                    _ = try snapshots.save(cache)
                    #expect(snapshots.writesSinceSaved == 0)
                }
            }
        }
    }

    @Test("says once why it is not written, and once that it is again")
    func reasons() async throws {
        let log = LogLines()
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                try await TestGateway.run(configuration(origin.url, directory)) { gateway in
                    let keeper = try #require(gateway.assembly.snapshots)
                    let service = SnapshotService(keeper, gateway.assembly.gate, Logger(label: "test") { _ in log })
                    let obstacle = directory + "/pages.new"
                    try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
                    for _ in 0..<3 { service.save() }
                    try FileManager.default.removeItem(atPath: obstacle)
                    for _ in 0..<3 { service.save() }
                    let lines = log.all.filter { !$0.hasPrefix("snapshot written") }
                    #expect(lines.count == 2)
                    #expect(lines.first?.hasPrefix("the snapshot is not written cause=\(obstacle)") == true)
                    #expect(lines.last == "the snapshot is written again")
                }
            }
        }
    }

    @Test("of another's file is told to be left alone")
    func foreign() async throws {
        let log = LogLines()
        try await withDirectory { directory in
            try String(repeating: "a diary ", count: 100).write(
                toFile: directory + "/pages", atomically: true, encoding: .utf8)
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                try await TestGateway.run(configuration(origin.url, directory)) { gateway in
                    let keeper = try #require(gateway.assembly.snapshots)
                    SnapshotService(keeper, gateway.assembly.gate, Logger(label: "test") { _ in log }).save()
                    #expect(log.all.count == 1)
                    #expect(log.all.first?.contains("/pages: is not a gateway's snapshot, and is left alone") == true)
                }
            }
        }
    }

    @Test("stays as it is where its reading is cut short")
    func cutShort() async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text)}") }) { origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { gateway in
                    for domain in "ABC" { _ = try await gateway.page(query(domain: domain)) }
                }
                for patience in 0..<6 {
                    let asked = Atomic(0)
                    try await TestGateway.run(
                        keeps, isEnding: { asked.add(1, ordering: .relaxed).oldValue >= patience }
                    ) { gateway in
                        let pages = try await gateway.metric("jobsproxy_cache_pages")
                        #expect(pages.map { $0 <= 3 } == true)
                    }
                }
                try await TestGateway.run(keeps) { gateway in
                    let pages = try await gateway.metric("jobsproxy_cache_pages")
                    #expect(pages == 3)
                }
            }
        }
    }

    @Test(
        "starts empty with a file that is damaged, of other services, no file, a link, or open to others",
        arguments: 0..<6)
    func refused(fault: Int) async throws {
        try await withDirectory { directory in
            try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
                let path = directory + "/pages"
                try await TestGateway.run(configuration(origin.url, directory)) { _ = try await $0.page(query()) }
                switch fault {
                case 0:
                    var bytes = try #require(FileManager.default.contents(atPath: path))
                    bytes[bytes.count / 2] ^= 1
                    try bytes.write(to: URL(fileURLWithPath: path))
                case 1: break
                case 2:
                    try FileManager.default.removeItem(atPath: path)
                    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                case 3:
                    try FileManager.default.moveItem(atPath: path, toPath: path + ".real")
                    try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: path + ".real")
                case 4: try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory)
                default: try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
                }
                let name = fault == 1 ? "other" : "voice-id"
                let lines = LogLines()
                try await TestGateway.run(configuration(origin.url, directory, name: name), log: lines) { gateway in
                    let pages = try await gateway.metric("jobsproxy_cache_pages")
                    let reply = try await gateway.page(query())
                    #expect(pages == 0)
                    #expect(reply.fields["cache-status"] == "jobs-proxy; fwd=miss")
                }
                #expect(lines.all.filter { $0.contains("the cache starts empty") }.count == 1)
            }
        }
    }

    @Test("finds no half page after a kill in the middle of writing", arguments: [0, 2, 10])
    func killed(milliseconds: Int) async throws {
        try await withDirectory { directory in
            let filler = String(repeating: "x", count: 20_000)
            try await ScriptedOrigin.run({ request, _ in .reply(body: "{\"For\":\(request.text),\"x\":\"\(filler)\"}") }
            ) {
                origin in
                let keeps = configuration(origin.url, directory)
                try await TestGateway.run(keeps) { gateway in
                    let client = try await gateway.client()
                    for number in 1...100 {
                        let reply = try await client.post(
                            "ListFraudsterRegistrationJobs", query(more: ",\"MaxResults\":\(number)"))
                        #expect(reply.status == 200)
                    }
                    try await client.close()
                }
                let file = directory + "/gateway.yaml"
                let text = "listen: {address: \"127.0.0.1:0\"}\nadmin: {address: \"127.0.0.1:0\"}\n" + keeps
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                try await kill(TestProgram.start("serve", "--config", file), directory, after: milliseconds)
                try await TestGateway.run(keeps) { gateway in
                    #expect(try await gateway.metric("jobsproxy_cache_pages") == 100)
                    let client = try await gateway.client()
                    for number in 1...100 {
                        let body = query(more: number == 100 ? "" : ",\"MaxResults\":\(number)")
                        let reply = try await client.post("ListFraudsterRegistrationJobs", body)
                        #expect(reply.text == "{\"For\":\(body),\"x\":\"\(filler)\"}")
                    }
                    try await client.close()
                }
            }
        }
    }

    /// Tells a gateway to end, and kills it some time after it began to write its pages.
    private func kill(_ program: TestProgram, _ directory: String, after milliseconds: Int) async throws {
        #expect(await program.line(containing: "Callers:"))
        program.terminate()
        while try !files(directory).contains("pages.new"), program.isRunning {
            try await Task.sleep(for: .microseconds(100))
        }
        try await Task.sleep(for: .milliseconds(milliseconds))
        await program.kill()
    }
}
