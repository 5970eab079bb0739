internal import Gateway
internal import OriginClient

/// The hosts of a service: its endpoint, and those whose names begin with a word of an operation. Each once more for replies that are
/// streamed, whose connections are apart.
struct ServiceHosts {
    let endpoint: Endpoint
    private var prefixed: [String: Endpoint] = [:]
    private var streamed: [String: Endpoint] = [:]

    /// - Parameter sockets: counts the connections of all of them.
    init(_ settings: UpstreamSettings, of service: Service, sockets: SocketCount) {
        endpoint = Endpoint(settings, sockets: sockets)
        for operation in service.catalog.operations {
            let prefix = settings.takesHostPrefix ? operation.hostPrefix ?? "" : ""
            if operation.isStream {
                streamed[prefix] =
                    streamed[prefix] ?? Endpoint(settings, prefix: prefix, isForStreams: true, sockets: sockets)
            } else if !prefix.isEmpty {
                prefixed[prefix] = prefixed[prefix] ?? Endpoint(settings, prefix: prefix, sockets: sockets)
            }
        }
    }

    func endpoint(for fetch: Fetch) -> Endpoint {
        if fetch.isStream { return fetch.hostPrefix.flatMap { streamed[$0] } ?? streamed[""] ?? endpoint }
        if prefixed.isEmpty { return endpoint }
        return fetch.hostPrefix.flatMap { prefixed[$0] } ?? endpoint
    }
}
