internal import GatewayFront
internal import Glibc
internal import HTTPFront
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

struct CallerListener: Service {
    /// Its address; the port is the bound one.
    let address: Configuration.Address
    let isSecure: Bool
    private let server: Server<GatewayResponder>
    private let front: Front
    private let running: RunningGateway
    private let logger: Logger

    /// The time for which connections without a request stay open at the end, in nanoseconds. A client that is about to send one cannot
    /// know that its connection is being closed; one that polls as often gets an answer that says so. A longer time would delay
    /// clients that connect meanwhile, where a parent holds the sockets for the gateway that comes next.
    private static let maxGrace: Int64 = 2_000_000_000

    /// Listens; on return callers are served.
    ///
    /// - Throws: `CommandFailure` if that cannot be.
    init(
        _ server: Server<GatewayResponder>, _ front: Front, _ running: RunningGateway, _ sockets: HandedSockets,
        _ logger: Logger
    ) async throws(CommandFailure) {
        let listen = running.configuration.listen
        address = try await server.listen(listen.address, tls: listen.tls, handed: sockets.client, logger)
        isSecure = listen.tls != nil
        (self.server, self.front, self.logger) = (server, front, logger)
        self.running = running
        front.isServing = true
    }

    /// Its end: the gateway is not ready any more, and answers are the last of their connections. For the time of the lame duck connections
    /// are accepted all the same, because load balancers take a while to see it. Then nothing new is accepted, and answers that are on their
    /// way have the rest of `drain` to leave.
    func run() async {
        logger.info("serving", metadata: ["address": "\(address)"])
        try? await gracefulShutdown()
        front.isServing = false
        let configuration = running.configuration
        let lameDuck = configuration.lameDuck
        let drain = configuration.drain.total - lameDuck
        let grace = min(drain / 4, Self.maxGrace)
        if lameDuck > 0 {
            logger.info(
                "the gateway ends; connections are accepted for a while",
                metadata: ["for": "\(Units.spelled(nanoseconds: lameDuck))"])
            await server.beginEnding(grace: lameDuck + grace)
            try? await Task.sleep(for: .nanoseconds(lameDuck))
        }
        let isClean = await server.shutDown(timeout: drain, grace: grace)
        if !isClean { logger.warning("connections were still open when the drain time was over") }
    }
}

/// Serves operators.
///
/// Where the callers' socket was handed over, the process that had it before may still have the operators' address. Callers do
/// not wait for that: operators are served as soon as the address is free.
struct OperatorListener: Service {
    /// Its address, now or later; the port is the bound one.
    let address: Configuration.Address
    private let configured: Configuration.Address
    private let isPending: Bool
    private let isServing: @Sendable () -> Bool
    private let server: Server<AdminResponder>
    private let logger: Logger

    /// Listens, unless the address is still in use by the process that had the callers' socket before.
    ///
    /// - Parameter isServing: false once the gateway is to end.
    /// - Throws: `CommandFailure` if it can never listen.
    init(
        _ server: Server<AdminResponder>, _ configuration: Configuration, _ sockets: HandedSockets, _ logger: Logger,
        isServing: @escaping @Sendable () -> Bool
    ) async throws(CommandFailure) {
        (self.server, self.logger, configured) = (server, logger, configuration.admin.address)
        self.isServing = isServing
        do {
            address = try await server.listen(configured, tls: nil, handed: sockets.admin, logger)
            isPending = false
        } catch {
            guard sockets.client != nil, error.isAddressInUse else { throw error }
            logger.notice(
                "the operators' address is still in use: they are served when it is free",
                metadata: ["address": "\(configured)"])
            address = configured
            isPending = true
        }
    }

    func run() async {
        if isPending { await cancelWhenGracefulShutdown { await takeOver() } }
        try? await gracefulShutdown()
        await server.shutDown(timeout: 0)
    }

    /// Listens as soon as the address is free. The system has no event for that, so it is tried again and again. Not while the gateway
    /// ends: the address is for the process after it then.
    private func takeOver() async {
        while (try? await Task.sleep(for: .milliseconds(50))) != nil, isServing() {
            do throws(CommandFailure) {
                _ = try await server.listen(configured, tls: nil, handed: nil, logger)
                return logger.info("operators are served")
            } catch {
                guard error.isAddressInUse else {
                    return logger.error("operators are not served", metadata: ["cause": "\(error)"])
                }
            }
        }
    }
}

extension Server {
    /// Listens on a socket that was handed over, or else binds one.
    ///
    /// - Throws: `CommandFailure` if that cannot be.
    fileprivate func listen(
        _ address: Configuration.Address, tls: Configuration.TLS?, handed: Int32?, _ logger: Logger
    ) async throws(CommandFailure) -> Configuration.Address {
        let report: @Sendable (Result<Void, TLSError>) -> Void = {
            switch $0 {
            case .success: logger.info("the listener's certificate has changed and is in use")
            case .failure(let error):
                logger.error("the listener's certificate stays as it was", metadata: ["cause": "\(error)"])
            }
        }
        let tls = tls.map { TLSSettings($0) }
        do {
            let bound =
                if let handed {
                    try await listen(descriptor: handed, tls: tls, report: report)
                } else if let path = address.path {
                    try await listen(path: path, tls: tls, report: report)
                } else {
                    try await listen(host: address.host, port: address.port, tls: tls, report: report)
                }
            guard address.path == nil else { return address }
            return Configuration.Address(host: bound?.ipAddress ?? address.host, port: bound?.port ?? address.port)
        } catch let error as TLSError {
            throw CommandFailure("listen.tls: \(error)")
        } catch {
            throw CommandFailure(
                "cannot listen on \(address): \(Self.problem(error, address))",
                isAddressInUse: (error as? IOError)?.errnoCode == EADDRINUSE)
        }
    }

    /// What is wrong, and what to do.
    private static func problem(_ error: any Error, _ address: Configuration.Address) -> String {
        guard let code = (error as? IOError)?.errnoCode else { return "\(error)" }
        switch code {
        case EADDRINUSE: return "address already in use: end the process that listens there, or choose another"
        case ENOTSOCK: return "there is a file that is no socket: move it away, or choose another path"
        case EADDRNOTAVAIL: return "this machine does not have the address: choose one that it has"
        case EACCES where address.path == nil && address.port < 1024:
            return "not permitted: choose a port from 1024 on, or give the process CAP_NET_BIND_SERVICE"
        default: return unsafe String(cString: strerror(code))
        }
    }
}
