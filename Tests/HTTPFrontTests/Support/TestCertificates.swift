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
        let pair = Pair(certificate: path(name + ".pem"), key: path(name + ".key"))
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
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            let output = Pipe()
            let errors = Pipe()
            let text = Pipe()
            process.standardInput = text
            process.standardOutput = output
            process.standardError = errors
            try process.run()
            try text.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try text.fileHandleForWriting.close()
            let result = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failure(output: complaint) }
            return result
        }
    }
}
