import Foundation
import TestSupport

/// An origin that is a program of its own, on a free loopback port and with a directory of its own. It has to be stopped.
/// `Scripts/setup --tests` installs what is missing.
final class OriginProgram: Sendable {
    struct Failure: Error { let what: String }

    let port: UInt16
    private let process: Process
    private let directory: URL
    private let log: FileHandle

    /// - Parameters:
    ///   - program: its name; it is looked for where distributions put servers.
    ///   - arguments: get the port and the directory, which is empty.
    init(_ program: String, _ arguments: (_ port: UInt16, _ directory: URL) throws -> [String]) throws {
        let paths = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"].map { "\($0)/\(program)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            throw Failure(what: "there is no \(program): run Scripts/setup --tests")
        }
        directory = FileManager.default.temporaryDirectory.appending(path: "origin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        let (socket, port) = try listenOnLoopback()
        close(socket)
        self.port = port
        let logFile = directory.appending(path: "output")
        _ = FileManager.default.createFile(atPath: logFile.path, contents: nil)
        log = try FileHandle(forWritingTo: logFile)
        process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = try arguments(port, directory)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        guard eventually({ Self.accepts(port) || !process.isRunning }), process.isRunning else {
            let output = output
            stop()
            throw Failure(what: "\(program) does not serve: \(output)")
        }
    }

    /// What it has printed.
    var output: String { (try? String(contentsOf: directory.appending(path: "output"), encoding: .utf8)) ?? "" }

    func stop() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    private static func accepts(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

extension OriginProgram {
    /// nghttp2's server: HTTP/2 without asking, answers with what it is sent.
    static func nghttpd(_ more: [String] = []) throws -> OriginProgram {
        try OriginProgram("nghttpd") { port, directory in
            ["--no-tls", "--address=127.0.0.1", "--echo-upload", "-d", directory.path, "-v"] + more + ["\(port)"]
        }
    }

    /// nginx with TLS, which offers HTTP/2. It answers with the number of the connection that a request came over.
    ///
    /// - Parameters:
    ///   - server: more of the server's settings.
    ///   - location: in place of the answer.
    static func nginx(
        _ certificate: OriginCertificate, http2: Bool = true, server: String = "",
        location: String = "return 200 '{\"JobSummaries\":[],\"Connection\":\"$connection $server_protocol\"}';"
    ) throws -> OriginProgram {
        try OriginProgram("nginx") { port, directory in
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map { "\($0)_temp_path \(directory.path)/\($0);" }.joined(separator: "\n")
            let configuration = """
                daemon off; master_process off; worker_processes 1;
                error_log stderr error; pid \(directory.path)/pid;
                events { worker_connections 512; }
                http {
                    access_log off; \(temporary)
                    server {
                        listen 127.0.0.1:\(port) ssl\(http2 ? " http2" : "");
                        ssl_certificate \(certificate.certificate); ssl_certificate_key \(certificate.key);
                        keepalive_requests 100000; default_type application/x-amz-json-1.0;
                        \(server)
                        location / { \(location) }
                    }
                }
                """
            let file = directory.appending(path: "nginx.conf")
            try configuration.write(to: file, atomically: false, encoding: .utf8)
            return ["-p", directory.path, "-c", file.path, "-e", "stderr"]
        }
    }
}
