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
        #expect(try faults(cache + "      \"voice-id:Describe*\": 1m\n      \"*:?istSpeakers\": 1m\n") == "none")
        // The operations of a catalog that cannot be read are not known.
        #expect(
            try faults(cache + "      PutRecord: 1m\nservices: [{catalog: /nonexistent.yaml}]\n").hasPrefix(
                "c.yaml:6: services[0].catalog: /nonexistent.yaml: "))
    }

    @Test("names each line that means no operation of a service: of callers, limits, ttl and timeouts")
    func meaningless() throws {
        let text = """
            services:
              - {catalog: voice-id, name: voice}
              - catalog: stepfunctions
                timeouts:
                  operation:
                    GetActivityTask: 70s
                    "List*": 3s
                    voice:ListDomains: 3s
            callers:
              - name: app
                keys: [{accessKeyId: A, secretAccessKey: {env: HOME}}]
                operations:
                  - "List*"
                  - stepfunctions:List*
                  - stepfunctions:ListDomain
                  - "voice-id:*"
                  - "a b"
            limits:
              operation:
                "voice:*Domain": {rate: 1}
                "stepfunctions:*Domain": {rate: 1}
            cache:
              ttl:
                operation:
                  voice:ListDomain: 1m
                  "*:*": 1m
                  "a:b:c": 1m

            """
        let shell = "is no operation of a configured service; 'jobs-proxy catalog show' lists those of the catalogs"
        let syntax = "must be an operation or service:operation, either with * for any characters and ? for one, not"
        let expected = [
            "c.yaml:8: services[1].timeouts.operation.voice:ListDomains: \(shell)",
            "c.yaml:11: callers[0].keys[0].secretAccessKey: the environment variable 'HOME' is not set",
            "c.yaml:15: callers[0].operations[2]: is no operation of a configured service; did you mean "
                + "stepfunctions:ListMapRuns?",
            "c.yaml:16: callers[0].operations[3]: \(shell)",
            "c.yaml:17: callers[0].operations[4]: \(syntax) 'a b'",
            "c.yaml:21: limits.operation.stepfunctions:*Domain: \(shell)",
            "c.yaml:25: cache.ttl.operation.voice:ListDomain: is no operation of a configured service; did you mean "
                + "voice:ListDomains?",
            "c.yaml:27: cache.ttl.operation.a:b:c: \(syntax) 'a:b:c'",
        ]
        #expect(try faults(text).split(separator: "\n").map(String.init) == expected)
    }
}
