internal import GatewayFront
internal import Glibc
internal import HTTPFront
internal import Logging
internal import NIOCore

extension OwnHosts {
    /// The hosts by which callers call the gateway, or a service that it stands for: the way to it may be a proxy's, or a name
    /// server's that gives its address for the service's name.
    init(_ configuration: Configuration, _ sandbox: EmbeddedSandbox?) {
        let host = configuration.listen.address.host
        let all = IPAddress(host.utf8)?.isUnspecified == true ? Self.addressesOfThisMachine : []
        self.init(
            [host] + all + configuration.listen.hosts + configuration.services.map { $0.authority(sandbox) })
    }

    /// What a listener on all addresses is called by.
    private static var addressesOfThisMachine: [String] {
        ((try? System.enumerateDevices()) ?? []).compactMap { $0.address?.ipAddress }
    }
}

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
            var client = sockets.take(host: listen.host, port: listen.port)
            self.admin = sockets.take(host: admin.host, port: admin.port)
            // A single one is the callers' wherever it listens, but that it must not let in whom the configuration keeps out.
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

    /// Listens for the operator. Where the callers' socket was handed over, the process that had it before may still have this
    /// address: callers do not wait for that.
    ///
    /// - Returns: where it listens; nothing if the address is still in use, and `takeOverAdmin` is to try again.
    /// - Throws: `CommandFailure` if it can never be.
    static func listen<R>(
        _ server: Server<R>, forOperatorOf configuration: Configuration, _ sockets: HandedSockets, _ logger: Logger
    ) async throws(CommandFailure) -> (host: String, port: Int)? {
        let address = configuration.admin.address
        do {
            return try await listen(server, address, tls: nil, handed: sockets.admin, logger)
        } catch {
            guard sockets.client != nil, error.isAddressInUse else { throw error }
            logger.notice("\(address) is still in use: operators are served when it is free")
            return nil
        }
    }

    /// Listens for the operator as soon as the address is free.
    func takeOverAdmin() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(50))
            do throws(CommandFailure) {
                _ = try await Self.listen(adminServer, configuration.admin.address, tls: nil, handed: nil, logger)
                return logger.info("operators are served")
            } catch {
                guard error.isAddressInUse else { return logger.error("operators are not served: \(error)") }
            }
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
            throw CommandFailure(
                "cannot listen on \(address): \(error)",
                isAddressInUse: (error as? IOError)?.errnoCode == EADDRINUSE)
        }
    }
}
