/// The status codes that this project sends (RFC 9110, section 15).
public struct Status: Sendable, Equatable {
    /// The three digits.
    public let code: Int
    /// The whole status line of HTTP/1.1, with its line end.
    let line: StaticString

    public static let ok = Status(code: 200, line: "HTTP/1.1 200 OK\r\n")
    public static let badRequest = Status(code: 400, line: "HTTP/1.1 400 Bad Request\r\n")
    public static let forbidden = Status(code: 403, line: "HTTP/1.1 403 Forbidden\r\n")
    public static let notFound = Status(code: 404, line: "HTTP/1.1 404 Not Found\r\n")
    public static let methodNotAllowed = Status(code: 405, line: "HTTP/1.1 405 Method Not Allowed\r\n")
    public static let requestTimeout = Status(code: 408, line: "HTTP/1.1 408 Request Timeout\r\n")
    public static let contentTooLarge = Status(code: 413, line: "HTTP/1.1 413 Content Too Large\r\n")
    public static let uriTooLong = Status(code: 414, line: "HTTP/1.1 414 URI Too Long\r\n")
    public static let expectationFailed = Status(code: 417, line: "HTTP/1.1 417 Expectation Failed\r\n")
    public static let requestHeaderFieldsTooLarge = Status(
        code: 431, line: "HTTP/1.1 431 Request Header Fields Too Large\r\n")
    public static let internalServerError = Status(code: 500, line: "HTTP/1.1 500 Internal Server Error\r\n")
    public static let serviceUnavailable = Status(code: 503, line: "HTTP/1.1 503 Service Unavailable\r\n")
    public static let gatewayTimeout = Status(code: 504, line: "HTTP/1.1 504 Gateway Timeout\r\n")

    private static let known: [Int: Status] = Dictionary(
        uniqueKeysWithValues: [
            ok, badRequest, forbidden, notFound, methodNotAllowed, requestTimeout, contentTooLarge, uriTooLong,
            expectationFailed, requestHeaderFieldsTooLarge, internalServerError, serviceUnavailable, gatewayTimeout,
        ].map { ($0.code, $0) })

    /// The status of an upstream's code. A final code without a name here keeps its number and has an empty reason phrase; any other
    /// number becomes 500.
    public init(code: Int) {
        if let known = Self.known[code] {
            self = known
        } else {
            self.init(code: (200...599).contains(code) ? code : 500, line: "")
        }
    }

    private init(code: Int, line: StaticString) {
        self.code = code
        self.line = line
    }

    public static func == (left: Status, right: Status) -> Bool { left.code == right.code }
}
