/// A place where a server listens.
public enum RedisEndpoint: Sendable, Hashable, CustomStringConvertible {
    /// - Parameters:
    ///   - host: a name, or an address without brackets.
    ///   - port: 1 to 65535.
    case tcp(host: String, port: Int)
    case unix(path: String)

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }
}

/// A password, and the user whose it is. Its description and mirror show neither.
public struct RedisCredentials: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// `nil` for the user `default`, also of servers before version 6.
    let user: String?
    let password: String

    public init(user: String?, password: String) {
        self.user = user
        self.password = password
    }

    public var description: String { "RedisCredentials" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
