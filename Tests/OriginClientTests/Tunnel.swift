import Glibc
import TestSupport

/// A proxy that knows nothing but CONNECT, and leads every tunnel to one port. It has to be stopped.
final class Tunnel: @unchecked Sendable {
    // `@unchecked` because: the state is touched only under `monitor`; the rest does not change.
    let port: UInt16
    private let listener: Int32
    private let monitor = Monitor()
    private var asked: [String] = []
    private var sockets: [Int32] = []
    private var threads = 0
    private var isStopped = false

    init(to target: UInt16) throws {
        (listener, port) = try listenOnLoopback()
        spawn { tunnel in
            while case let client = accept(tunnel.listener, nil, nil), client >= 0 {
                guard tunnel.keep(client) else { break }
                tunnel.spawn { $0.serve(client, target) }
            }
        }
    }

    /// What was asked for, in order.
    var targets: [String] { monitor.change { asked } }

    func stop() {
        monitor.change {
            isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        _ = monitor.wait(seconds: 10) { threads == 0 }
        for socket in sockets + [listener] { close(socket) }
    }

    private func spawn(_ body: @escaping @Sendable (Tunnel) -> Void) {
        monitor.change { threads += 1 }
        startThread {
            body(self)
            self.monitor.change { self.threads -= 1 }
        }
    }

    private func keep(_ socket: Int32) -> Bool {
        monitor.change {
            sockets.append(socket)
            return !isStopped
        }
    }

    private func serve(_ client: Int32, _ target: UInt16) {
        var connection = ScriptedConnection(socket: client, number: 0)
        guard let request = connection.readRequest() else { return }
        monitor.change { asked.append(request.target) }
        let origin = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = target.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(origin, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard keep(origin), isConnected, connection.perform(.raw("HTTP/1.1 200 Connected\r\n\r\n")) else { return }
        spawn { _ in Self.copy(origin, client) }
        Self.copy(client, origin)
    }

    /// Copies to the end of the input.
    private static func copy(_ input: Int32, _ output: Int32) {
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        while case let count = recv(input, &bytes, bytes.count, 0), count > 0 {
            guard send(output, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
        }
        shutdown(output, Int32(SHUT_WR))
    }
}
