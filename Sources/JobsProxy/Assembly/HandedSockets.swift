internal import HTTPFront
internal import NIOCore

/// The sockets that the process was started with, by listener; `nil` where the listener is to bind one.
struct HandedSockets {
    let client: Int32?
    let admin: Int32?

    /// Takes the sockets at the listeners' addresses. None may be left over: it would accept connections that no listener
    /// answers.
    ///
    /// - Throws: `CommandFailure` if a socket is neither listener's, or is no socket that listens.
    init(_ configuration: Configuration, environment: [String: String]) throws(CommandFailure) {
        var sockets: InheritedSockets
        do throws(InheritedSockets.Failure) {
            sockets = try InheritedSockets { environment[$0] }
        } catch {
            throw CommandFailure("cannot take over the sockets that were handed over: \(error)")
        }
        let (listen, admin) = (configuration.listen.address, configuration.admin.address)
        var client = Self.take(listen, &sockets)
        self.admin = Self.take(admin, &sockets)
        // A single one is the callers' wherever it listens on loopback: beyond it, it would let in callers that the
        // configuration keeps out.
        if client == nil, sockets.remaining.count == 1, let only = sockets.remaining.first,
            let host = only.ipAddress, let port = only.port, Host.isLoopback(host)
        {
            client = sockets.take(host: host, port: port)
        }
        self.client = client
        guard let left = sockets.remaining.first else { return }
        let address =
            left.pathname.map { Configuration.Address(path: $0) }
            ?? Configuration.Address(host: left.ipAddress ?? "?", port: left.port ?? 0)
        throw CommandFailure(
            "a socket that listens on \(address) was handed over (LISTEN_FDS), and that is neither listen.address "
                + "(\(listen)) nor admin.address (\(admin)): let the two agree, or hand over no such socket")
    }

    private static func take(_ address: Configuration.Address, _ sockets: inout InheritedSockets) -> Int32? {
        if let path = address.path { return sockets.take(path: path) }
        return sockets.take(host: address.host, port: address.port)
    }
}
