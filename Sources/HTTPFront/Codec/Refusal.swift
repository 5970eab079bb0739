/// The reason why a request or a connection was refused before its content was considered.
///
/// A refusal is answered, and the connection closes after the answer. Where no answer can be given or read, the responder is told that
/// the connection was dropped. The raw value is the metric label.
public enum Refusal: String, Sendable, CaseIterable, Error {
    case requestLine = "request_line"
    case httpVersion = "http_version"
    case bareLineFeed = "bare_line_feed"
    case fieldName = "field_name"
    case fieldValue = "field_value"
    case foldedField = "folded_field"
    case host = "host"
    case repeatedField = "repeated_field"
    case contentLength = "content_length"
    case transferEncoding = "transfer_encoding"
    case chunk = "chunk"
    case expectation = "expectation"
    case connectMethod = "connect_method"
    case foreignTarget = "foreign_target"
    case targetTooLong = "target_too_long"
    case fieldsTooMany = "fields_too_many"
    case headTooLarge = "head_too_large"
    case bodyTooLarge = "body_too_large"
    case headTimeout = "head_timeout"
    case bodyTimeout = "body_timeout"
    case unreadAnswer = "unread_answer"
    case unsentLimit = "unsent_limit"
    case idle = "idle"
    case pseudoField = "pseudo_field"
    case connectionField = "connection_field"
    case flood = "flood"
    case brokenProtocol = "broken_protocol"
    case handshake = "handshake"
    case connections = "connections"
    case connectionsPerPeer = "connections_per_peer"
    case proxyHeader = "proxy_header"

    /// The answer's status code.
    public var status: Status {
        switch self {
        case .connectMethod: .methodNotAllowed
        case .headTimeout, .bodyTimeout, .idle, .unreadAnswer, .unsentLimit: .requestTimeout
        case .targetTooLong: .uriTooLong
        case .fieldsTooMany, .headTooLarge: .requestHeaderFieldsTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .expectation: .expectationFailed
        case .connections, .connectionsPerPeer: .serviceUnavailable
        default: .badRequest
        }
    }

    /// A sentence for the client: the fault and its remedy.
    public var explanation: String {
        switch self {
        case .requestLine: "The request line is not 'METHOD SP target SP HTTP/1.1'."
        case .httpVersion: "The protocol version is not HTTP/1.0 or HTTP/1.1."
        case .bareLineFeed: "A line of the request head ends in a line feed without a carriage return."
        case .fieldName: "A header field's name is empty, is not a token, or is not directly followed by a colon."
        case .fieldValue: "A header field's value holds a control character."
        case .foldedField: "A header field is folded over several lines."
        case .host: "The request needs exactly one Host field that names a host; HTTP/1.0 may leave it out."
        case .repeatedField: "A header field that may occur once is repeated."
        case .contentLength: "Content-Length is not a plain decimal number, or does not stand alone."
        case .transferEncoding: "The only Transfer-Encoding accepted is a single 'chunked', in HTTP/1.1."
        case .chunk: "The chunked content is malformed."
        case .expectation: "The only expectation accepted is '100-continue'."
        case .connectMethod: "CONNECT is not allowed: this gateway opens no tunnels."
        case .foreignTarget: "The request target names another host than the one this gateway stands for."
        case .targetTooLong: "The request line is too long."
        case .fieldsTooMany: "The request has too many header fields."
        case .headTooLarge: "The request head, or one of its fields, is too large."
        case .bodyTooLarge: "The request's content is too large."
        case .headTimeout: "The request head did not arrive in time."
        case .bodyTimeout: "The request's content did not arrive in time."
        case .unreadAnswer: "The answer was not read in time."
        case .unsentLimit: "Too much waits to be read by clients, and this one has read nothing for longest."
        case .idle: "The connection was idle for too long."
        case .pseudoField: "The request needs :method, :scheme and :path once each, before all other fields."
        case .connectionField: "The request has a header field that only a connection of HTTP/1.1 can have."
        case .flood: "The client sends more frames than its requests need."
        case .brokenProtocol: "The connection does not keep to HTTP/2."
        case .handshake: "The TLS handshake failed or was not completed in time."
        case .connections: "Too many connections are open."
        case .connectionsPerPeer: "Too many connections are open from this address."
        case .proxyHeader: "The connection's first bytes are a malformed header of the PROXY protocol."
        }
    }

    /// The position in `allCases`, for counters by index.
    public var index: Int { Self.places[self] ?? 0 }

    private static let places = Dictionary(uniqueKeysWithValues: zip(allCases, 0...))
}
