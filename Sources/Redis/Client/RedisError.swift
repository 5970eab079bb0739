/// The reason why a call has no reply, or why there is no connection.
public enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no connection. The command was not sent.
    case notConnected
    /// Too many calls, or bytes of calls, are outstanding. The command was not sent.
    case overloaded
    /// The client was closed. The command may have been carried out.
    case closed
    /// No reply came by the deadline. The command may have been carried out.
    case timeout
    /// The connection ended before the reply. The command may have been carried out.
    case connectionLost(String)
    /// No connection could be made.
    case unreachable(String)
    /// What came over the connection is no reply. The command may have been carried out.
    case protocolFault(RESPFault)
    /// The server is no primary: what it says that it is.
    case notPrimary(String)
    /// The server, or a file, does not fit the settings: what an operator has to change.
    case configuration(String)
    /// The server's own error.
    case server(RedisServerError)

    public enum Kind: Sendable, Equatable {
        /// Redis cannot be used now. Trying again later may help.
        case down
        /// The server does not know the script of an `EVALSHA`.
        case noScript
        /// Credentials, rights or files are wrong. An operator has to act.
        case configuration
        /// The command is wrong, or failed by itself.
        case refused
    }

    public var kind: Kind {
        switch self {
        case .configuration: .configuration
        case .server(let error): error.kind
        default: .down
        }
    }

    /// True if Redis cannot be used now.
    public var isDown: Bool { kind == .down }

    /// False if the command certainly was not carried out, because it was never sent.
    public var mayHaveRun: Bool {
        switch self {
        case .notConnected, .overloaded, .unreachable, .notPrimary, .configuration: false
        case .closed, .timeout, .connectionLost, .protocolFault, .server: true
        }
    }

    public var description: String {
        switch self {
        case .notConnected: "there is no connection to Redis"
        case .overloaded: "too many calls to Redis are outstanding"
        case .closed: "the connection to Redis was closed by its owner"
        case .timeout: "Redis has not replied in time"
        case .connectionLost(let reason): "the connection to Redis was lost: \(reason)"
        case .unreachable(let reason): "Redis cannot be reached: \(reason)"
        case .protocolFault(let fault): "the server does not speak Redis's protocol: \(fault)"
        case .notPrimary(let role): "the server is no primary but a \(role)"
        case .configuration(let what): what
        case .server(let error): "Redis says: \(error)"
        }
    }
}
