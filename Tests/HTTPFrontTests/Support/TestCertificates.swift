import Foundation
import NIOPosix

/// Makes certificates with `openssl` in a directory of its own, which goes away with it.
final class TestCertificates: Sendable {
    /// A certificate and its key, by the paths of their files.
    struct Pair: Sendable {
        var certificate: String
        var key: String
    }

    struct Failure: Error {
        var output: String
    }

    let directory: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "http-front-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        directory = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func path(_ name: String) -> String { directory + "/" + name }

    /// A certificate that signs others, by itself.
    func authority(_ name: String) async throws -> Pair {
        try await make(name, "/CN=\(name)", nil, ["basicConstraints=critical,CA:TRUE"])
    }

    /// A certificate for a server on this machine.
    func server(_ name: String, by authority: Pair) async throws -> Pair {
        try await make(name, "/CN=\(name)", authority, ["subjectAltName=DNS:localhost,IP:127.0.0.1"])
    }

    /// A certificate for a client.
    func client(_ name: String, subject: String, names: String? = nil, by authority: Pair) async throws -> Pair {
        try await make(name, subject, authority, names.map { ["subjectAltName=\($0)"] } ?? [])
    }

    private func make(
        _ name: String, _ subject: String, _ authority: Pair?, _ extensions: [String]
    ) async throws -> Pair {
        let pair = pair(name)
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-utf8",
            "-multivalue-rdn", "-subj", subject, "-keyout", pair.key, "-out", pair.certificate,
        ]
        if let authority {
            arguments += ["-CA", authority.certificate, "-CAkey", authority.key]
            arguments += ["-addext", "basicConstraints=critical,CA:FALSE"]
        }
        for text in extensions { arguments += ["-addext", text] }
        _ = try await Self.openssl(arguments)
        return pair
    }

    /// Runs `openssl` and returns what it printed.
    static func openssl(_ arguments: [String], input: String = "") async throws -> String {
        try await Waiting.pool.runIfActive {
            // Files, because reading from a pipe ends when the end of another process interrupts it.
            let files = try TestCertificates()
            let (input, output, errors) = try (
                files.file("input", Data(input.utf8)), files.file("output"), files.file("errors")
            )
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            process.standardInput = try FileHandle(forReadingFrom: input)
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
            process.waitUntilExit()
            guard process.terminationStatus == 0 else {
                throw Failure(output: try String(contentsOf: errors, encoding: .utf8))
            }
            return String(decoding: try Data(contentsOf: output), as: UTF8.self)
        }
    }

    private func file(_ name: String, _ content: Data = Data()) throws -> URL {
        let url = URL(fileURLWithPath: path(name))
        try content.write(to: url)
        return url
    }

    // MARK: Shared

    /// An authority and a server's certificate that all tests use, because making them takes time.
    private static let shared: Task<TestCertificates, any Error> = Task {
        let certificates = try TestCertificates()
        _ = try await certificates.server("server", by: certificates.authority("ca"))
        return certificates
    }

    /// A directory with a copy of the shared certificates.
    static func copy() async throws -> (certificates: TestCertificates, authority: Pair, server: Pair) {
        let shared = try await Self.shared.value
        let copy = try TestCertificates()
        for name in ["ca.pem", "ca.key", "server.pem", "server.key"] {
            try FileManager.default.copyItem(atPath: shared.path(name), toPath: copy.path(name))
        }
        return (copy, copy.pair("ca"), copy.pair("server"))
    }

    private func pair(_ name: String) -> Pair { Pair(certificate: path(name + ".pem"), key: path(name + ".key")) }
}
