internal import HTTPFront

/// The destination of a request.
enum Route {
    case call
    case metrics
    case health
    case unknown
    case wrongMethod(allowed: StaticString)

    /// - Parameter path: the request target's path with its query, which is ignored.
    init(_ method: RequestHead.Method, path: String) {
        let reads = method == .get || method == .head
        switch path.prefix(while: { $0 != "?" }) {
        case "/": self = method == .post ? .call : .wrongMethod(allowed: "POST")
        case "/metrics": self = reads ? .metrics : .wrongMethod(allowed: "GET, HEAD")
        case "/healthz": self = reads ? .health : .wrongMethod(allowed: "GET, HEAD")
        default: self = .unknown
        }
    }
}
