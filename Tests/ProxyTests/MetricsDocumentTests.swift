import Foundation
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

@Suite("docs/metrics.md", .timeLimit(.minutes(1)))
struct MetricsDocumentTests {
    private struct Row: Equatable {
        let type: String
        let labels: Set<String>
    }

    private static func file(_ path: String) throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return try String(contentsOf: tests.appendingPathComponent("../../\(path)").standardized, encoding: .utf8)
    }

    /// The rows of the document's tables, by the metric's name.
    private func documented() throws -> [String: Row] {
        var rows: [String: Row] = [:]
        for line in try Self.file("docs/metrics.md").split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            let name = cells[1].replacing("`", with: "")
            #expect(rows[name] == nil, "\(name) is there twice")
            #expect(cells.count == 7 && !cells[4].isEmpty, "\(name)")
            rows[name] = Row(type: cells[2], labels: Set(cells[3].split(separator: " ").map(String.init)))
        }
        return rows
    }

    @Test("has every metric of a gateway with its type and labels, and no other")
    func complete() async throws {
        let documented = try documented()
        let snapshot = FileManager.default.temporaryDirectory.appendingPathComponent("metrics-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: snapshot) }
        try await ScriptedOrigin.run({ _, _ in .reply(body: "{}") }) { origin in
            let yaml = TestGateway.service(origin.url) + "cache: {snapshot: \(snapshot)/pages}\n"
            try await TestGateway.run(yaml) { gateway in
                let text = String(decoding: gateway.assembly.registry.render(), as: UTF8.self)
                var shown: [String: String] = [:]
                for line in text.split(separator: "\n") where line.hasPrefix("# TYPE ") {
                    let words = line.split(separator: " ").map(String.init)
                    shown[words[2]] = words[3]
                }
                let own = documented.filter { !$0.key.hasPrefix("jobsproxy_shared_") }
                #expect(Set(own.keys) == Set(shown.keys))
                for (name, type) in shown { #expect(documented[name]?.type == type, "\(name)") }
                for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                    let (name, labels) = Self.sample(line)
                    let suffixes = ["_bucket", "_sum", "_count"]
                    let family =
                        suffixes.first { shown[name] == nil && name.hasSuffix($0) }
                        .map { String(name.dropLast($0.count)) } ?? name
                    #expect(documented[family]?.labels == labels, "\(line)")
                }
            }
        }
    }

    @Test("has the metrics of gateways that share")
    func shared() throws {
        let sources = try ["Cluster/ClusterMetrics", "JobsProxy/Assembly/ClusterService"]
            .map { try Self.file("Sources/\($0).swift") }.joined()
        let names = sources.matches(of: /"(jobsproxy_[a-z_]+)"/).map { String($0.output.1) }
        #expect(Set(names) == Set(try documented().keys.filter { $0.hasPrefix("jobsproxy_shared_") }))
    }

    /// The name of a sample, and those of its labels but for a bucket's bound.
    private static func sample(_ line: Substring) -> (name: String, labels: Set<String>) {
        let name = line.prefix { $0 != "{" && $0 != " " }
        let labels = line.matches(of: /([a-z_]+)="/).map { String($0.output.1) }
        return (String(name), Set(labels).subtracting(["le"]))
    }
}
