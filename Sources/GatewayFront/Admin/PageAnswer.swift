internal import AWSProtocol
internal import Dashboard
internal import HTTPFront

/// The operator's page and its fields, rendered once at the start.
///
/// It is served without the token and to whatever host it is asked by, because it holds nothing of this gateway: it is the same as in
/// the gateway's sources, and what it shows comes by `/events`, for which all of the rules hold.
public struct PageAnswer: Sendable {
    private let content: [UInt8]
    private let policy: [UInt8]

    /// - Parameter asksForToken: true if the listener has a token.
    public init(asksForToken: Bool) {
        let page = DashboardPage()
        content = page.document(asksForToken: asksForToken)
        // Its own script and style alone, and requests to where it came from.
        let rules = [
            "default-src 'none'", "script-src 'sha256-\(sha256InBase64(page.script.span))'",
            "style-src 'sha256-\(sha256InBase64(page.style.span))'", "img-src data:", "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'", "frame-ancestors 'none'",
        ]
        policy = Array(rules.joined(separator: "; ").utf8)
    }

    func write(_ response: inout ResponseWriter) {
        response.start(.ok)
        response.field("Content-Type", "text/html; charset=utf-8")
        response.field("Content-Security-Policy", policy)
        response.field("X-Content-Type-Options", "nosniff")
        response.field("Referrer-Policy", "no-referrer")
        response.field("Cross-Origin-Opener-Policy", "same-origin")
        response.field("Cross-Origin-Resource-Policy", "same-origin")
        response.field("Cache-Control", "no-cache")
        response.finish(content)
    }
}
