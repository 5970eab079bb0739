import Foundation
import Locking
import Testing

@testable import HTTPFront

@Suite("Certificates", .timeLimit(.minutes(1)))
struct CertificateReloadTests {
    /// What a server reported of its certificates.
    private final class Reports: Sendable {
        private let results = Locked<[Result<Void, TLSError>]>([])

        func add(_ result: Result<Void, TLSError>) { results.withLock { $0.append(result) } }

        var failures: [String] {
            results.withLock { $0.compactMap { if case .failure(let error) = $0 { error.description } else { nil } } }
        }

        var successes: Int { results.withLock { $0.count { if case .success = $0 { true } else { false } } } }
    }

    private func replace(_ old: String, by new: String) throws {
        try Data(contentsOf: URL(fileURLWithPath: new)).write(to: URL(fileURLWithPath: old), options: .atomic)
    }

    @Test("that change are used by new connections without being told, and old connections go on")
    func watched() async throws {
        let reports = Reports()
        try await withSecureServer(report: { reports.add($0) }) { secure in
            let before = try await secure.connect()
            #expect(try await before.serverName == "CN=server")
            let renewed = try await secure.certificates.server("renewed", by: secure.authority)
            try replace(secure.certificates.path("server.key"), by: renewed.key)
            try replace(secure.certificates.path("server.pem"), by: renewed.certificate)
            try await secure.server.journal.wait("the new certificate") { reports.successes > 0 }
            let after = try await secure.connect()
            #expect(try await after.serverName == "CN=renewed")
            for client in [before, after] {
                try await client.send(get("/1"))
                #expect(try await client.answer().status == 200)
            }
        }
    }

    @Test("that are broken change nothing, and are reported once")
    func broken() async throws {
        let reports = Reports()
        try await withSecureServer(report: { reports.add($0) }) { secure in
            let path = secure.certificates.path("server.pem")
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: path))
            try await secure.server.journal.wait("the report") { !reports.failures.isEmpty }
            #expect(try await secure.connect().serverName == "CN=server")
            // Two more looks at the files.
            try await secure.server.journal.wait(ticks: 10)
            #expect(reports.failures == ["\(path): holds no certificate in PEM form"])
            let renewed = try await secure.certificates.server("renewed", by: secure.authority)
            try replace(secure.certificates.path("server.key"), by: renewed.key)
            try replace(path, by: renewed.certificate)
            try await secure.server.journal.wait("the new certificate") { reports.successes > 0 }
            #expect(try await secure.connect().serverName == "CN=renewed")
        }
    }

    @Test("are read when the server is told so, and what is wrong with them is thrown")
    func told() async throws {
        try await withSecureServer { secure in
            let renewed = try await secure.certificates.server("renewed", by: secure.authority)
            let path = secure.certificates.path("server.pem")
            try replace(path, by: renewed.certificate)
            let key = secure.certificates.path("server.key")
            #expect(throws: TLSError(file: path, what: "cannot be used together with the key in \(key)")) {
                try secure.server.server.reloadCertificates()
            }
            #expect(try await secure.connect().serverName == "CN=server")
            try replace(key, by: renewed.key)
            try secure.server.server.reloadCertificates()
            #expect(try await secure.connect().serverName == "CN=renewed")
        }
    }

    @Test("that cannot be used are refused with the file and the reason")
    func unusable() async throws {
        let (certificates, authority, good) = try await TestCertificates.copy()
        let missing = certificates.path("missing.pem")
        let nonsense = certificates.path("nonsense.pem")
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: nonsense))
        let large = certificates.path("large.pem")
        try Data(repeating: 0x20, count: 2 << 20).write(to: URL(fileURLWithPath: large))
        let encrypted = certificates.path("encrypted.key")
        _ = try await TestCertificates.openssl([
            "ec", "-in", good.key, "-aes128", "-passout", "pass:secret", "-out", encrypted,
        ])

        func complaint(_ change: (inout TLSSettings) -> Void) -> String? {
            var settings = TLSSettings(certificate: good.certificate, key: good.key)
            change(&settings)
            do throws(TLSError) {
                _ = try settings.makeContext(offersHTTP2: true)
                return nil
            } catch {
                return error.description
            }
        }
        #expect(complaint { _ in } == nil)
        #expect(complaint { $0.certificate = missing } == "\(missing): cannot be opened: No such file or directory")
        #expect(complaint { $0.key = missing } == "\(missing): cannot be opened: No such file or directory")
        #expect(
            complaint { $0.clientCA = certificates.directory }
                == "\(certificates.directory): is not a regular file")
        #expect(complaint { $0.certificate = nonsense } == "\(nonsense): holds no certificate in PEM form")
        #expect(complaint { $0.clientCA = nonsense } == "\(nonsense): holds no certificate in PEM form")
        #expect(complaint { $0.certificate = large } == "\(large): is larger than 1048576 bytes")
        for key in [nonsense, good.certificate, encrypted] {
            #expect(
                complaint { $0.key = key }
                    == "\(key): holds no private key in PEM form that can be read without a passphrase")
        }
        #expect(
            complaint { $0.key = authority.key }
                == "\(good.certificate): cannot be used together with the key in \(authority.key)")
        #expect(
            complaint { $0.requiresClientCertificate = true }
                == "\(good.certificate): client certificates cannot be required without a clientCA to verify them")
    }
}
