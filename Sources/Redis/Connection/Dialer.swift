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
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try tls.makeContext() }
            .assumeIsolated().whenComplete { result in
                completion(result.map { $0 }.mapError { .configuration("\($0)") })
            }
    }

    /// Asks sentinels in turn until one knows the primary.
    ///
    /// - Parameter turn: the numbers of those that were not asked.
    private func ask(
        _ turn: ArraySlice<Int>, _ nodes: [RedisSettings.Node], _ master: String, _ context: NIOSSLContext?,
        last: RedisError = .unreachable("no sentinel is known"),
        _ completion: @escaping (Result<(RedisEndpoint, Int), RedisError>) -> Void
    ) {
        guard let number = turn.first else { return completion(.failure(last)) }
        let node = nodes[number]
        open(node.endpoint, context) { result in
            let finish: (Result<RedisEndpoint, RedisError>) -> Void = { result in
                switch result {
                case .success(let endpoint): completion(.success((endpoint, number)))
                case .failure(let error): ask(turn.dropFirst(), nodes, master, context, last: error, completion)
                }
            }
            guard case .success(let connection) = result else {
                return finish(result.flatMap { _ in .failure(.notConnected) })
            }
            let deadline = MonotonicInstant.now + settings.connectTimeout
            var refusal: RedisError?
            if let credentials = node.credentials {
                connection.call(Greeting.authentication(credentials), deadline: deadline, on: eventLoop) { result in
                    guard case .failure(.server(let error)) = result else { return }
                    refusal = Greeting.refusedAuthentication(error)
                }
            }
            let question = RedisCommand(text: "SENTINEL", "get-master-addr-by-name", master)
            connection.call(question, deadline: deadline, on: eventLoop) { result in
                connection.close()
                finish(Self.primary(result, refusal, named: master, by: node.endpoint))
            }
        }
    }

    /// The endpoint in a sentinel's reply.
    static func primary(
        _ result: Result<RESPValue, RedisError>, _ refusal: RedisError?, named master: String,
        by sentinel: RedisEndpoint
    ) -> Result<RedisEndpoint, RedisError> {
        switch result {
        case .failure(let error):
            return .failure(refusal ?? unreachable(error, sentinel))
        case .success(.null):
            return .failure(.configuration("sentinel \(sentinel) knows no master '\(master)'; is the name right?"))
        case .success(let value):
            let words = value.array?.compactMap(\.text) ?? []
            guard words.count == 2, !words[0].isEmpty, let port = UInt16(words[1]), port > 0 else {
                return .failure(.unreachable("sentinel \(sentinel) names no address"))
            }
            return .success(.tcp(host: words[0], port: Int(port)))
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

    private func open(_ endpoint: RedisEndpoint, _ context: NIOSSLContext?, _ completion: @escaping Completion) {
        let limits = RESPReader.Limits(bulk: settings.maxBulkBytes, reply: settings.maxReplyBytes)
        let serverName = serverName(endpoint)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(settings.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: serverName))
                    }
                    try pipeline.addHandler(RedisConnection(limits))
                }
            }
        let channel =
            switch endpoint {
            case .tcp(let host, let port): bootstrap.connect(host: host, port: port)
            case .unix(let path): bootstrap.connect(unixDomainSocketPath: path)
            }
        channel.assumeIsolated().whenComplete { result in
            do {
                let pipeline = try result.get().pipeline.syncOperations
                completion(.success(try pipeline.handler(type: RedisConnection.self)))
            } catch {
                completion(.failure(.unreachable("\(endpoint): \(Self.text(of: error))")))
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
    private static func unreachable(_ error: RedisError, _ endpoint: RedisEndpoint) -> RedisError {
        switch error {
        case .connectionLost(let reason): .unreachable("\(endpoint): \(reason)")
        case .timeout: .unreachable("\(endpoint): there is no reply in time")
        case .notConnected, .closed: .unreachable("\(endpoint): the connection was closed")
        default: error
        }
    }

    private static func text(of error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        if let failure = error.connectionErrors.first { return "\(failure.error)" }
        return (error.dnsAError ?? error.dnsAAAAError).map { "the name is not found: \($0)" } ?? "\(error)"
    }
}
