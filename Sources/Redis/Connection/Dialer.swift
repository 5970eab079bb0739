internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Primitives

/// Makes connections that are ready for use: asks sentinels for the primary, connects, secures and greets. Lives on its event loop, which no
/// step blocks: names are looked up, and files read, on other threads.
struct Dialer {
    struct Dialed {
        var connection: RedisConnection
        var endpoint: RedisEndpoint
        /// The number of the sentinel that named the endpoint.
        var sentinel = 0
    }

    typealias Completion = (Result<RedisConnection, RedisError>) -> Void

    let settings: RedisSettings
    let name: String
    let eventLoop: any EventLoop

    /// Connects to the primary.
    ///
    /// - Parameters:
    ///   - moved: the endpoint that a server has named; `nil` for that of the settings. Sentinels know better.
    ///   - sentinel: the number of the sentinel to ask first; the others follow in turn.
    ///   - completion: called once.
    func connect(
        moved: RedisEndpoint?, sentinel: Int, _ completion: @escaping (Result<Dialed, RedisError>) -> Void
    ) {
        readTLS { result in
            let context: NIOSSLContext?
            switch result {
            case .success(let read): context = read
            case .failure(let error): return completion(.failure(error))
            }
            switch settings.target {
            case .server(let endpoint):
                greet(moved ?? endpoint, context) { result in
                    completion(result.map { Dialed(connection: $0, endpoint: moved ?? endpoint) })
                }
            case .sentinels(let nodes, let master):
                let turn = nodes.indices.map { ($0 + sentinel) % nodes.count }
                ask(turn[...], nodes, master, context) { result in
                    switch result {
                    case .success(let (endpoint, sentinel)):
                        greet(endpoint, context) { result in
                            completion(
                                result.map { Dialed(connection: $0, endpoint: endpoint, sentinel: sentinel) })
                        }
                    case .failure(let error):
                        completion(.failure(error))
                    }
                }
            }
        }
    }

    // MARK: Steps

    private func readTLS(_ completion: @escaping (Result<NIOSSLContext?, RedisError>) -> Void) {
        guard let tls = settings.tls else { return completion(.success(nil)) }
        // Isolated because the dialer runs on the event loop alone.
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try tls.makeContext() }
            .assumeIsolated().whenComplete { result in
                completion(result.map { $0 }.mapError { .configuration("\($0)") })
            }
    }

    /// Connects to a server, and asks it what a `Greeting` asks.
    private func greet(_ endpoint: RedisEndpoint, _ context: NIOSSLContext?, _ completion: @escaping Completion) {
        open(endpoint, context) { result in
            guard case .success(let connection) = result else { return completion(result) }
            let greeting = Greeting(settings, name: name)
            let deadline = MonotonicInstant.now + settings.connectTimeout
            var isDone = false
            func send(_ step: Greeting.Step) {
                connection.call(greeting.command(step), deadline: deadline, on: eventLoop) { result in
                    guard !isDone else { return }
                    switch greeting.verdict(step, result) {
                    case .more:
                        break
                    case .send(let next):
                        send(next)
                    case .ready:
                        isDone = true
                        completion(.success(connection))
                    case .failed(let error):
                        isDone = true
                        connection.close()
                        completion(.failure(Self.unreachable(error, endpoint)))
                    }
                }
            }
            for step in greeting.steps { send(step) }
        }
    }

    func open(_ endpoint: RedisEndpoint, _ context: NIOSSLContext?, _ completion: @escaping Completion) {
        let limits = RESPReader.Limits(bulk: settings.maxBulkBytes, reply: settings.maxReplyBytes)
        let serverName = serverName(endpoint)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(settings.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context, let serverName {
                        try pipeline.addHandler(ServerName(serverName).makeHandler(context, name: serverName))
                    } else if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    }
                    try pipeline.addHandler(RedisConnection(limits))
                }
            }
        let channel =
            switch endpoint {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        // Isolated because the dialer runs on the event loop alone.
        channel.assumeIsolated().whenComplete { result in
            do {
                let pipeline = try result.get().pipeline.syncOperations
                completion(.success(try pipeline.handler(type: RedisConnection.self)))
            } catch {
                completion(.failure(.unreachable("\(endpoint): \(RedisError.words(of: error))")))
            }
        }
    }

    /// The name that the certificate must have; `nil` for an address, which is compared with that of the connection.
    private func serverName(_ endpoint: RedisEndpoint) -> String? {
        if let name = settings.tls?.serverName { return name }
        guard case .tcp(let host, _) = endpoint, IPAddress(host.utf8) == nil else { return nil }
        return host
    }

    /// The error of a connection that was never in use.
    static func unreachable(_ error: RedisError, _ endpoint: RedisEndpoint) -> RedisError {
        switch error {
        case .connectionLost(let reason): .unreachable("\(endpoint): \(reason)")
        case .timeout:
            .unreachable("\(endpoint): there is no reply in time (does it speak TLS, or not, as the URL says?)")
        case .notConnected, .closed: .unreachable("\(endpoint): the connection was closed")
        default: error
        }
    }
}
