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
    ) throws(CredentialFault) -> CurlReply {
        let endpoint = Endpoint(
            url: url, caBundle: caBundle, connectTimeout: timeout, keptFields: KeptFields(["date"]))
        let request = AttemptRequest(
            endpoint: endpoint, method: method, fields: fields, body: body, timeout: timeout, maxReplyBytes: 64 * 1024)
        var attempt = 1
        while true {
            do throws(CurlError) {
                let reply = try request.perform()
                guard reply.status >= 500 || reply.status == 429, attempt < Self.attempts else { return reply }
            } catch {
                guard !error.isTimeout, error.isConnectFailure || error.mayHaveSent, attempt < Self.attempts else {
                    throw .failed("\(name) did not answer: \(error)")
                }
            }
            // This is the fetch's own thread, which has no other work.
            usleep(UInt32(attempt) * 50_000)
            attempt += 1
        }
    }

    private static let attempts = 3
}
