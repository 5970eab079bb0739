internal import Primitives

extension Configuration {
    struct Address: Sendable, Equatable, CustomStringConvertible {
        /// A name, an IPv4 address, or an IPv6 address without brackets.
        var host: String
        /// 0: the system chooses one.
        var port: Int
        /// The path of a Unix socket, which takes the place of host and port.
        private(set) var path: String?

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        init(path: String) {
            self.init(host: "localhost", port: 0)
            self.path = path
        }

        /// True if only this machine reaches it.
        var isLoopback: Bool { path != nil || Host.isLoopback(host) }

        /// True if two listeners cannot have it.
        var isFixed: Bool { path != nil || port != 0 }

        var description: String { path.map { "unix:\($0)" } ?? "\(Host.bracketed(host)):\(port)" }
    }

    /// Whose word about its clients is taken.
    enum Proxy: Sendable, Equatable {
        case network(IPNetwork)
        case unixSockets
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
