internal import HTTPFront

/// Who may use the operator's listener, and what it shows them of the gateway's state.
public struct AdminAccess: Sendable {
    /// What `Authorization: Bearer TOKEN` must say (RFC 6750, section 2.1); nothing if nobody is asked.
    private let token: [UInt8]?
    /// The hosts by which it is called where there is no token.
    let hosts: OwnHosts
    /// The state, as JSON.
    let state: SharedText

    public init(token: String?, hosts: OwnHosts, state: SharedText) {
        self.token = token.map { Array($0.utf8) }
        self.hosts = hosts
        self.state = state
    }

    var asksForToken: Bool { token != nil }

    /// Whether a request shows the token. Every byte is looked at, whatever the first of them say.
    func admits(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let token else { return true }
        guard let value = head[.authorization], value.count == Self.scheme + token.count,
            bytes.isText("bearer ", at: value.lowerBound..<value.lowerBound + Self.scheme)
        else { return false }
        var difference: UInt8 = 0
        for (index, place) in zip(token.indices, value.dropFirst(Self.scheme)) {
            difference |= token[index] ^ bytes[place]
        }
        return difference == 0
    }

    private static let scheme = "Bearer ".utf8.count
}

extension AdminAccess: CustomStringConvertible, CustomReflectable {
    public var description: String { "access to the operator's listener" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension Route {
    /// Whoever looks after the process asks for health and readiness, and has no token.
    var needsToken: Bool {
        switch self {
        case .health, .readiness: false
        default: true
        }
    }
}
