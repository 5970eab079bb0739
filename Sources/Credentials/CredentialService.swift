internal import Glibc
internal import OriginClient

/// Asks a service that hands out credentials.
struct CredentialService: Sendable {
    /// Begins the messages, such as "the instance metadata service at http://169.254.169.254".
    let name: String
    /// Nanoseconds for one request.
    let timeout: Int64
    var caBundle: String?

    /// Sends the request, and again after a failure that passes: nobody there for the moment, or the service's own (5xx, 429).
    /// When the time is over it is not tried again, or a hanging service would take as many times as long.
    ///
    /// - Throws: `failed`.
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
            // On the thread of the fetch, for which nobody waits who could do something else.
            usleep(UInt32(attempt) * 50_000)
            attempt += 1
        }
    }

    private static let attempts = 3

    private static func passes(_ status: Int) -> Bool { status >= 500 || status == 429 }
}
