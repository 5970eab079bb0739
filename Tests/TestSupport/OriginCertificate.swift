import Foundation

/// A certificate that `openssl` made, which signs for itself.
package final class OriginCertificate: Sendable {
    package struct Failure: Error { let what: String }

    package let directory: URL
    package var certificate: String { directory.appending(path: "certificate.pem").path }
    package var key: String { directory.appending(path: "key.pem").path }

    /// - Parameters:
    ///   - names: whose it is.
    ///   - isExpired: whether it was good for January 2020 alone.
    package init(_ names: String = "DNS:localhost,IP:127.0.0.1", isExpired: Bool = false) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "certificate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        let request = [
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=origin", "-keyout",
            key,
        ]
        guard isExpired else {
            try Self.openssl(
                request + ["-x509", "-days", "2", "-addext", "subjectAltName=\(names)", "-out", certificate])
            return
        }
        let (unsigned, rules) = (directory.appending(path: "request.pem").path, directory.appending(path: "rules"))
        let text = """
            [ca]
            default_ca = own
            [own]
            database = \(directory.path)/index
            new_certs_dir = \(directory.path)
            rand_serial = yes
            default_md = sha256
            policy = any
            [any]
            commonName = supplied
            [names]
            subjectAltName = \(names)

            """
        try text.write(to: rules, atomically: false, encoding: .utf8)
        try "".write(to: directory.appending(path: "index"), atomically: false, encoding: .utf8)
        try Self.openssl(request + ["-out", unsigned])
        try Self.openssl([
            "ca", "-config", rules.path, "-batch", "-notext", "-selfsign", "-keyfile", key, "-in", unsigned, "-out",
            certificate, "-extensions", "names", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
        ])
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(what: "openssl makes no certificate: \(arguments)") }
    }
}
