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
        var client = sockets.take(host: listen.host, port: listen.port)
        self.admin = sockets.take(host: admin.host, port: admin.port)
        // A single one is the callers' wherever it listens on loopback: beyond it, it would let in callers that the
        // configuration keeps out.
        if client == nil, sockets.remaining.count == 1, let only = sockets.remaining.first,
            let host = only.ipAddress, let port = only.port, Host.isLoopback(host)
        {
            client = sockets.take(host: host, port: port)
        }
        self.client = client
        guard let left = sockets.remaining.first else { return }
        let address = Configuration.Address(host: left.ipAddress ?? "?", port: left.port ?? 0)
        throw CommandFailure(
            "a socket that listens on \(address) was handed over (LISTEN_FDS), and that is neither listen.address "
                + "(\(listen)) nor admin.address (\(admin)): let the two agree, or hand over no such socket")
    }
}
