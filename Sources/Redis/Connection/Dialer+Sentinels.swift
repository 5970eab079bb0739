internal import NIOCore
internal import NIOSSL
internal import Primitives

extension Dialer {
    /// Asks sentinels in turn until one knows the primary.
    ///
    /// - Parameter turn: the numbers of those that were not asked.
    func ask(
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
}
