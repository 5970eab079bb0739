import Foundation

/// An authority, a server's certificate for 127.0.0.1 and redis.test, and a client's, made by `openssl`.
final class RedisCertificates: Sendable {
    struct Failure: Error {}

    let directory: String
    var authority: String { directory + "/ca.pem" }

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "redis-tls-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        directory = url.path
        try make("ca", ["-addext", "basicConstraints=critical,CA:TRUE"])
        for (name, names) in [
            ("server", "IP:127.0.0.1,DNS:redis.test"), ("other", "DNS:elsewhere.test"), ("client", "DNS:gateway"),
        ] {
            try make(name, ["-CA", authority, "-CAkey", key("ca"), "-addext", "subjectAltName=\(names)"])
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func certificate(_ name: String) -> String { "\(directory)/\(name).pem" }
    func key(_ name: String) -> String { "\(directory)/\(name).key" }

    private func make(_ name: String, _ more: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments =
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=\(name)", "-keyout", key(name), "-out", certificate(name),
            ] + more
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
    }
}
