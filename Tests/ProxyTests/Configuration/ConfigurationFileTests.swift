import Foundation
import Testing

@testable import JobsProxy

@Suite("Checking a configuration file")
struct ConfigurationFileTests {
    private func faults(_ text: String) throws -> String {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml").path
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        do throws(CommandFailure) { _ = try ConfigurationFile.load(file, environment: [:]) } catch {
            return error.description.replacing(file, with: "c.yaml")
        }
        return "none"
    }

    @Test("names the faults of its text, of secrets, files and catalogs in one run, each with its line")
    func all() throws {
        let text = """
            listen:
              tls: {certificate: /nonexistent.pem, key: /nonexistent.key}
            admin: {token: {env: NO_SUCH_TOKEN}}
            services:
              - name: one
                quotas:
                  batch: {rate: 2}
                  bach: {rate: 2}
                  other-things: {rate: 2}
              - {name: two, catalog: /nonexistent.yaml}
            replicas: 0

            """
        let faults = try faults(text).split(separator: "\n")
        let beginnings = [
            "c.yaml:2: listen.tls: /nonexistent.pem: ",
            "c.yaml:3: admin.token: the environment variable 'NO_SUCH_TOKEN' is not set",
            "c.yaml:8: services[0].quotas.bach: is no quota group of the catalog 'voice-id'; did you mean batch?",
            "c.yaml:9: services[0].quotas.other-things: is no quota group of the catalog 'voice-id'; it has evaluate, ",
            "c.yaml:10: services[1].catalog: /nonexistent.yaml: cannot be opened: No such file or directory",
            "c.yaml:11: replicas: must be between 1 and 1000, not '0'",
        ]
        #expect(faults.count == beginnings.count)
        for (fault, beginning) in zip(faults, beginnings) { #expect(fault.hasPrefix(beginning), "\(fault)") }
    }

    @Test("refuses a ttl of an operation that no configured service has")
    func operations() throws {
        let cache = "cache:\n  ttl:\n    operation:\n      ListDomains: 1m\n"
        #expect(try faults(cache) == "none")
        #expect(
            try faults(cache + "      ListDomain: 1m\n")
                == "c.yaml:5: cache.ttl.operation.ListDomain: is no operation of a configured service; did you mean "
                + "ListDomains?")
        #expect(
            try faults(cache + "      PutRecord: 1m\nservices: [{catalog: voice-id, region: nowhere}]\n")
                == """
                c.yaml:5: cache.ttl.operation.PutRecord: is no operation of a configured service; 'jobs-proxy catalog show' \
                lists those of the catalogs
                c.yaml:6: services[0].region: must be a Region such as us-east-1, not 'nowhere'
                """)
        // The operations of a catalog that cannot be read are not known.
        #expect(
            try faults(cache + "      PutRecord: 1m\nservices: [{catalog: /nonexistent.yaml}]\n").hasPrefix(
                "c.yaml:6: services[0].catalog: /nonexistent.yaml: "))
    }
}
