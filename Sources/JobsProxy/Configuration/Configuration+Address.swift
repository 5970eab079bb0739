extension Configuration {
    struct Address: Sendable, Equatable, CustomStringConvertible {
        /// A name, an IPv4 address, or an IPv6 address without brackets.
        var host: String
        /// 0: the system chooses one.
        var port: Int

        var isLoopback: Bool { Host.isLoopback(host) }

        var description: String { "\(Host.bracketed(host)):\(port)" }
    }

    /// Scheme, host and port of a server (RFC 6454).
    struct Origin: Sendable, Equatable, CustomStringConvertible {
        enum Scheme: String, Sendable, CaseIterable {
            case http, https

            var defaultPort: Int { self == .https ? 443 : 80 }
        }

        var scheme: Scheme
        /// In lower case; an IPv6 address without brackets.
        var host: String
        var port: Int

        /// The value of a Host field: with the port only if it is not the scheme's default.
        var authority: String {
            port == scheme.defaultPort ? Host.bracketed(host) : "\(Host.bracketed(host)):\(port)"
        }

        var description: String { "\(scheme.rawValue)://\(authority)" }
    }
}
