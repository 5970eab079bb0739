internal import HTTPFront
internal import Logging
internal import NIOCore

/// Where the gateway listens: on sockets that it was started with, or on those that it binds.
extension GatewayAssembly {
    /// Which of the sockets that the process was started with are the listeners'; nothing where one is to be bound.
    struct HandedSockets {
        let client: Int32?
        let admin: Int32?

        /// Whoever hands over sockets expects all of them to be listened on: one that is left over would accept connections
        /// that nobody ever answers.
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
            client = sockets.take(host: listen.host, port: listen.port)
            self.admin = sockets.take(host: admin.host, port: admin.port)
            guard let left = sockets.remaining.first else { return }
            let address = Configuration.Address(host: left.ipAddress ?? "?", port: left.port ?? 0)
            throw CommandFailure(
                "a socket that listens on \(address) was handed over (LISTEN_FDS), and that is neither listen.address "
                    + "(\(listen)) nor admin.address (\(admin)): let the two agree, or hand over no such socket")
        }
    }

    /// Listens on a socket that was handed over, or else binds one.
    ///
    /// - Throws: `CommandFailure` if that cannot be.
    static func listen<R>(
        _ server: Server<R>, _ address: Configuration.Address, tls: Configuration.TLS?, handed: Int32?, _ logger: Logger
    ) async throws(CommandFailure) -> (host: String, port: Int) {
        let report: @Sendable (Result<Void, TLSError>) -> Void = {
            switch $0 {
            case .success: logger.info("the listener's certificate has changed and is in use")
            case .failure(let error): logger.error("the listener's certificate stays as it was: \(error)")
            }
        }
        let tls = tls.map { TLSSettings($0) }
        do {
            let bound =
                if let handed {
                    try await server.listen(descriptor: handed, tls: tls, report: report)
                } else if let tls {
                    try await server.listen(host: address.host, port: address.port, tls: tls, report: report)
                } else {
                    try await server.listen(host: address.host, port: address.port)
                }
            return (bound?.ipAddress ?? address.host, bound?.port ?? address.port)
        } catch let error as TLSError {
            throw CommandFailure("listen.tls: \(error)")
        } catch {
            throw CommandFailure("cannot listen on \(address): \(error)")
        }
    }
}
