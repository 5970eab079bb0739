internal import Glibc
internal import OriginClient

/// An HTTP client for a service that returns credentials.
struct CredentialService: Sendable {
    /// The subject of the messages, such as "the instance metadata service at http://169.254.169.254".
    let name: String
    /// The timeout of one request, in nanoseconds.
    let timeout: Int64
    var caBundle: String?

    /// Sends a request, at most three times: after a connection error, a malformed reply, 5xx or 429. A timeout is not retried,
    /// because a hanging service would triple it.
    ///
    /// - Throws: `failed` if there is no reply.
    func send(
        _ method: HTTPMethod, _ url: String, fields: [(name: String, value: String)], body: [UInt8] = []
    ) throws(CredentialFault) -> HTTPReply {
        let exchange = HTTPExchange(
            method, url, fields: fields, body: body, connectTimeout: timeout, timeout: timeout, caBundle: caBundle,
            keptFields: ["date"])
        var attempt = 1
        while true {
            do throws(HTTPExchangeError) {
                let reply = try exchange.perform()
                guard Self.passes(reply.status), attempt < Self.attempts else { return reply }
            } catch {
                guard error.kind == .connect || error.kind == .reply, attempt < Self.attempts else {
                    throw .failed("\(name) did not answer: \(error)")
                }
            }
            // This is the fetch's own thread, which has no other work.
            usleep(UInt32(attempt) * 50_000)
            attempt += 1
        }
    }

    private static let attempts = 3

    private static func passes(_ status: Int) -> Bool { status >= 500 || status == 429 }
}
