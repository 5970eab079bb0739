internal import HTTPFront

/// The access rule of the operator's listener, and the state that it shows.
public struct AdminAccess: Sendable {
    /// The token that `Authorization: Bearer TOKEN` must hold (RFC 6750, section 2.1); `nil` if none is required.
    private let token: [UInt8]?
    /// The hosts that requests must name if no token is required.
    let hosts: OwnHosts
    public let state: SharedText
    let orders: AdminOrders
    let page: PageAnswer
    public let hub: WatchHub

    public init(token: String?, hosts: OwnHosts, state: SharedText, orders: AdminOrders, hub: WatchHub) {
        self.token = token.map { Array($0.utf8) }
        self.hosts = hosts
        self.state = state
        self.orders = orders
        self.hub = hub
        page = PageAnswer(asksForToken: token != nil)
    }

    var asksForToken: Bool { token != nil }

    /// Returns true if a request has the token. The comparison takes the same time wherever the first difference is.
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
    /// Health and readiness need none: orchestrators request them. Neither does the page, which holds no figures; see `PageAnswer`.
    var needsToken: Bool {
        switch self {
        case .health, .readiness, .page: false
        default: true
        }
    }
}
