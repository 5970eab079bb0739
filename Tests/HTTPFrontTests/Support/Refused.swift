import Testing

@testable import HTTPFront

/// A stream of bytes whose first request is refused.
struct Refused: Sendable, CustomTestStringConvertible {
    var name: String
    var input: String
    var refusal: Refusal

    init(_ name: String, _ input: String, _ refusal: Refusal) {
        self.name = name
        self.input = input
        self.refusal = refusal
    }

    var testDescription: String { name }
}

/// Expects a refusal, however the bytes arrive, and that nothing behind it is taken for a request.
func expectRefused(_ refused: Refused, limits: HTTPLimits = HTTPLimits()) {
    let behind = "GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"
    let decoded = decodeBothWays(refused.input + behind, limits: limits)
    #expect(decoded.requests.map(\.path) == [])
    #expect(decoded.end == .refused(refused.refusal))
}

/// A request with a Host field, the given further fields (each with its line end) and content.
func post(_ fields: String, _ content: String = "", version: String = "HTTP/1.1") -> String {
    "POST / \(version)\r\nHost: a\r\n\(fields)\r\n\(content)"
}

/// A GET request with a Host field and the given further fields, each with its line end.
func get(_ path: String, _ fields: String = "", version: String = "HTTP/1.1") -> String {
    "GET \(path) \(version)\r\nHost: a\r\n\(fields)\r\n"
}
