import Foundation
import Primitives
import StrictYAML
import TestSupport
import Testing

@testable import JobsProxy

/// What `check` says of a file, on a machine that a test describes.
@Suite("What check finds", .timeLimit(.minutes(1)))
struct CheckTests {
    /// The findings, as they are printed but for the name of the file, and of `directory`.
    private func findings(
        _ text: String, files: [String: String] = [:], environment: [String: String] = [:], openFiles: Int = 20_000
    ) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.appending(path: "check-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        for (name, content) in files {
            try content.write(to: directory.appending(path: name), atomically: false, encoding: .utf8)
        }
        let file = directory.appending(path: "c.yaml")
        try text.replacing("DIR", with: directory.path).write(to: file, atomically: false, encoding: .utf8)
        let (configuration, faults) = try ConfigurationFile.read(
            file.path, catalogs: CatalogStore(), environment: environment)
        MachineFindings(
            configuration: configuration, environment: environment, maxOpenFiles: openFiles, loops: 2,
            now: Process.wallClock()
        ).add(to: faults)
        return faults.all.map { "\($0)".replacing(file.path, with: "c.yaml").replacing(directory.path, with: "DIR") }
    }

    private static let service = "services:\n  - catalog: voice-id\n    endpoint: https://localhost\n"

    // MARK: Authorities

    @Test(
        "A file of authorities that no connection could use is an error of its key, at the start too",
        arguments: [
            ("none.pem", "cannot be opened: No such file or directory"),
            ("empty.pem", "holds no certificate in PEM form, or one that is damaged"),
            ("text.pem", "holds no certificate in PEM form, or one that is damaged"),
            ("damaged.pem", "holds no certificate in PEM form, or one that is damaged"),
            ("", "is a directory: name a file with the certificates in PEM form"),
        ])
    func authorities(name: String, problem: String) throws {
        let damaged = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
        let files = ["empty.pem": "", "text.pem": "hello", "damaged.pem": damaged]
        let path = name.isEmpty ? "DIR" : "DIR/\(name)"
        let found = try findings(Self.service + "    caBundle: \(path)\n", files: files)
        #expect(found == ["c.yaml:4: services[0].caBundle: \(path): \(problem)"])
        let traces = "tracing:\n  endpoint: https://localhost/v1/traces\n  caBundle: \(path)\n"
        #expect(try findings(traces, files: files) == ["c.yaml:3: tracing.caBundle: \(path): \(problem)"])
    }

    @Test("A gateway does not start, and does not reload, with authorities that it cannot use")
    func start() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml").path
        try (Self.service + "    caBundle: /nowhere.pem\n").write(toFile: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: file) }
        let failure = #expect(throws: CommandFailure.self) { try ConfigurationFile.load(file) }
        #expect(
            failure?.description
                == "\(file):4: services[0].caBundle: /nowhere.pem: cannot be opened: No such file or directory")
    }

    @Test("Without TLS no authorities are needed, so none are looked for")
    func unused() throws {
        let found = try findings(
            "services: [{catalog: voice-id, endpoint: \"http://localhost:1\", caBundle: /nowhere.pem}]\n")
        #expect(found == [])
    }

    @Test("Good authorities are no finding, also between other text; those that all have ended are a warning")
    func ended() throws {
        let (good, old) = (try OriginCertificate(), try OriginCertificate(isExpired: true))
        let text = try String(contentsOfFile: good.certificate, encoding: .utf8)
        let ended = try String(contentsOfFile: old.certificate, encoding: .utf8)
        let configuration = Self.service + "    caBundle: DIR/ca.pem\n"
        #expect(
            try findings(configuration, files: ["ca.pem": "# some words\n\(ended)\n\(text)"]) == [
                """
                c.yaml:4: warning: services[0].caBundle: DIR/ca.pem: of the last of its certificates, the validity ends on \
                \(Self.day(after: 2)): renew it
                """
            ])
        #expect(
            try findings(configuration, files: ["ca.pem": ended]) == [
                """
                c.yaml:4: warning: services[0].caBundle: DIR/ca.pem: of the last of its certificates, the validity ended on \
                2020-02-01: renew it
                """
            ])
    }

    private static func day(after days: Int64) -> String {
        let day = CalendarTime(seconds: Process.wallClock().seconds + days * 86_400)
        return [day.year, day.month, day.day].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: "-")
    }

    @Test("A directory of authorities counts if a file in it is named by a hash")
    func hashes() {
        for name in ["5ad8a5d6.0", "00000000.12"] { #expect(SystemAuthorities.isHash(Array(name.utf8)), "\(name)") }
        for name in ["", "5ad8a5d6", "5ad8a5d6.", "5ad8a5d6.r0", "5AD8A5D6.0", "ca-certificates.crt", "5ad8a5d60.0"] {
            #expect(!SystemAuthorities.isHash(Array(name.utf8)), "\(name)")
        }
    }

    @Test("The listener's certificate is an error with another's key, and a warning when it ends soon")
    func listener() throws {
        let (one, other) = (try OriginCertificate(), try OriginCertificate())
        func listen(_ key: String) -> String {
            "listen:\n  tls:\n    certificate: \(one.certificate)\n    key: \(key)\n"
        }
        let found = try findings(listen(other.key))
        #expect(
            found.first
                == "c.yaml:3: listen.tls: \(one.certificate): cannot be used together with the key in \(other.key)")
        #expect(
            try findings(listen(one.key)) == [
                """
                c.yaml:3: warning: listen.tls.certificate: \(one.certificate): the validity ends on \(Self.day(after: 2)): \
                renew it, it is read anew without a restart
                """
            ])
    }

    // MARK: Regions

    @Test(
        "A host of AWS's tells its Region",
        arguments: [
            ("voiceid.us-east-1.amazonaws.com", "us-east-1"), ("voiceid-fips.us-west-2.amazonaws.com", "us-west-2"),
            ("states.us-gov-west-1.amazonaws.com", "us-gov-west-1"), ("states.eu-west-1.api.aws", "eu-west-1"),
            ("s3.dualstack.ap-southeast-2.amazonaws.com", "ap-southeast-2"),
            ("states.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("vpce-0abc-1xyz.states.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
            ("vpce-0abc-1xyz-us-east-1a.states.us-east-1.vpce.amazonaws.com", "us-east-1"),
            ("states.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"), ("voiceid.us-east-1.amazonaws.com.", "us-east-1"),
            ("organizations.amazonaws.com", nil), ("localhost", nil), ("voiceid.us-east-1.example.com", nil),
            ("us-east-1", nil), ("x-1.amazonaws.com", nil),
        ] as [(String, String?)])
    func region(host: String, region: String?) {
        #expect(AWSHost.region(of: host) == region)
    }

    @Test("A Region unlike the endpoint's is an error, and a warning where signatures are passed on")
    func otherRegion() throws {
        let service = """
            services:
              - catalog: voice-id
                endpoint: https://voiceid.us-east-1.amazonaws.com

            """
        #expect(try findings(service) == [])
        let problem = """
            is eu-west-1, but the endpoint voiceid.us-east-1.amazonaws.com is in us-east-1, which refuses what is signed for \
            another Region: write region: us-east-1, or the endpoint in eu-west-1
            """
        #expect(try findings(service + "    region: eu-west-1\n") == ["c.yaml:4: services[0].region: \(problem)"])
        #expect(
            try findings(service + "    region: eu-west-1\n    signing: passthrough\n")
                == ["c.yaml:4: warning: services[0].region: \(problem)"])
    }

    // MARK: Names

    @Test("A name that can match nothing is found, and the nearest one that can is told")
    func names() throws {
        let text = """
            cache:
              ttl:
                status:
                  COMPLETED: 1m
                  COMPLETE: 1m
                  WAITING: 1m
            callers:
              - name: app
                keys: [{accessKeyId: A, secretAccessKey: {env: KEY}}]
                domains: ["Ab*", AbCdEfGhIjKlMnOpQrStUv, tooShort]
            services:
              - {catalog: voice-id, name: one, quotaScope: account}
              - {catalog: voice-id, name: two, quotaScope: acount, region: eu-west-1}
              - {catalog: voice-id, name: three, quotaScope: shared, region: eu-west-2}
              - {catalog: voice-id, name: four, quotaScope: shared, region: eu-west-3}

            """
        let found = try findings(text, environment: ["KEY": "0123456789"])
        let status = "is no status that an operation of a configured service is filtered by"
        let scope = "is no other service's, so no quota is shared; did you mean"
        #expect(found.count == 5)
        let expected = [
            "c.yaml:5: warning: cache.ttl.status.COMPLETE: \(status); did you mean COMPLETED?",
            "c.yaml:6: warning: cache.ttl.status.WAITING: \(status); there are ",
            "c.yaml:10: warning: callers[0].domains[2]: is no value of DomainId that an operation takes",
            "c.yaml:12: warning: services[0].quotaScope: \(scope) acount?",
            "c.yaml:13: warning: services[1].quotaScope: \(scope) account?",
        ]
        for (fault, beginning) in zip(found, expected) { #expect(fault.hasPrefix(beginning), "\(fault)") }
    }

    @Test("Faults of a catalog and of an overlay have their own file and line, each in a line")
    func catalogs() throws {
        let overlay = "rules:\n  ListDomain: { ttl: 3s }\n  ListDomains: { quota: batc }\n"
        let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Config/catalogs/voice-id.yaml").standardized
        let catalog = try String(contentsOf: place, encoding: .utf8)
            .replacing("errorNamespace:", with: "errorNamspace:")
        let found = try findings(
            "services:\n  - {catalog: {model: voice-id, overlay: DIR/o.yaml}, name: a}\n  - {catalog: DIR/c2.yaml, name: b}\n",
            files: ["o.yaml": overlay, "c2.yaml": catalog])
        #expect(found.count == 3)
        #expect(
            found.prefix(2) == [
                "c.yaml:2: services[0].catalog: DIR/o.yaml:2: rules.ListDomain: matches no operation of the model; did you "
                    + "mean ListDomains?",
                "c.yaml:2: services[0].catalog: DIR/o.yaml:3: rules.ListDomains.quota: 'batc' is no group under 'quotas'; did you mean batch?",
            ])
        #expect(found.last?.hasPrefix("c.yaml:3: services[1].catalog: DIR/c2.yaml:") == true)
        #expect(found.last?.hasSuffix("unknown key 'errorNamspace'; did you mean errorNamespace?") == true)
    }

    // MARK: The machine

    @Test("Connections above the limit of open files are a warning, and too few files for any an error")
    func openFiles() throws {
        let text = "http:\n  maxConnections: 5000\nservices:\n  - catalog: voice-id\n    maxConnections: 900\n"
        #expect(try findings(text) == [])
        let found = try findings(text, openFiles: 1024)
        #expect(found.count == 2)
        #expect(
            found.first?.hasPrefix(
                "c.yaml:2: warning: http.maxConnections: is 5000, but of the 1024 files that the process may have open "
            )
                == true)
        #expect(
            found.last?.hasPrefix("c.yaml:5: warning: services[0].maxConnections: is 900, but of the 1024 ") == true)
        #expect(found.allSatisfy { $0.hasSuffix(DescriptorBudget.advice) })
        #expect(
            try findings("", openFiles: 30).first?.hasPrefix(
                "c.yaml:1: http.maxConnections: the process may have 30 files")
                == true)
    }

    @Test("A directory that is missing, or that others may write to, is found before the gateway needs it")
    func directories() throws {
        let missing = "No such file or directory"
        #expect(
            try findings("listen: {address: \"unix:/nowhere/a.sock\"}\nadmin:\n  address: unix:/nowhere/b.sock\n") == [
                "c.yaml:1: listen.address: the socket cannot be made in /nowhere: \(missing)",
                "c.yaml:3: admin.address: the socket cannot be made in /nowhere: \(missing)",
            ])
        #expect(try findings("listen: {address: \"unix:DIR/a.sock\"}\ncache: {snapshot: DIR/pages}\n") == [])
        #expect(
            try findings("cache:\n  snapshot: /nowhere/pages\n").first?.hasPrefix(
                "c.yaml:2: warning: cache.snapshot: no page outlives the process: /nowhere: \(missing); ") == true)
        #expect(
            try findings("cache:\n  snapshot: /tmp/pages\n").first?.contains("others can write to this directory")
                == true)
        #expect(
            try findings("cache:\n  snapshot: DIR/c.yaml/pages\n").first?.contains("is no directory") == true)
    }

    @Test("AWS_CA_BUNDLE matters where credentials are looked for")
    func credentialBundle() throws {
        let environment = ["AWS_CA_BUNDLE": "/nowhere.pem"]
        #expect(try findings("services: [{catalog: voice-id}]\n", environment: environment) == [])
        let text = "services:\n  - {catalog: voice-id, endpoint: \"http://localhost:1\"}\n"
        #expect(
            try findings(text, environment: environment) == [
                """
                c.yaml:1: warning: services: credentials may not be had: AWS_CA_BUNDLE: /nowhere.pem: cannot be opened: \
                No such file or directory
                """
            ])
    }
}
