internal import Primitives
internal import StrictYAML

extension ValueParser where Value == Configuration.Address {
    /// `host:port`, an IPv6 address in brackets, or `unix:/path`.
    static var address: ValueParser {
        ValueParser { scalar throws(Problem) in
            if scalar.text.hasPrefix("unix:") {
                let path = String(scalar.text.dropFirst(5))
                guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= 107, !path.utf8.contains(0) else {
                    throw Problem(
                        "must name the socket's file by a whole path of at most 107 bytes, such as unix:/run/jobs-proxy/gateway.sock"
                    )
                }
                return Value(path: path)
            }
            let (host, port) = try hostAndPort(scalar.text[...])
            guard let port else { throw Problem("has no port: write \(Host.bracketed(host)):8080") }
            return Value(host: host, port: port)
        }
    }
}

extension ValueParser where Value == String {
    /// A name or an IP address, in lower case and without brackets.
    static var host: ValueParser {
        ValueParser { scalar throws(Problem) in
            if Host.isValid(scalar.text) { return Host.lowercased(scalar.text) }
            let (host, port) = try hostAndPort(scalar.text[...])
            guard port == nil else { throw Problem("must have no port: write \(host)") }
            return Host.lowercased(host)
        }
    }
}

extension ValueParser where Value == Configuration.Proxy {
    /// The addresses of a proxy: one, a network of them, or `unix`.
    static var proxy: ValueParser {
        ValueParser { scalar throws(Problem) in
            if scalar.text == "unix" { return .unixSockets }
            guard let network = IPNetwork(scalar.text) else {
                throw Problem(
                    "must be an IP address (192.0.2.1), a network without bits beyond its length (10.0.0.0/8, 2001:db8::/32), "
                        + "or unix for whoever connects by a Unix socket, not \(scalar.text.quoted)")
            }
            return .network(network)
        }
    }
}

extension ValueParser where Value == Configuration.Origin {
    /// `http://host:port` or `https://host`.
    ///
    /// No message repeats the text: a URL with a password in it is one of the mistakes.
    static var origin: ValueParser {
        ValueParser { scalar throws(Problem) in
            guard let separator = scalar.text.firstRange(of: "://") else {
                throw Problem("must be an https:// or http:// URL")
            }
            guard let scheme = Value.Scheme(rawValue: Host.lowercased(String(scalar.text[..<separator.lowerBound])))
            else {
                throw Problem("must begin with https:// or http://; no other scheme is spoken")
            }
            let rest = scalar.text[separator.upperBound...]
            guard !rest.contains("@") else {
                throw Problem("must not hold a user name or password: remove what stands before the '@'")
            }
            guard !rest.contains("?"), !rest.contains("#") else {
                throw Problem("must end after the host and port: remove the query or fragment")
            }
            let authority = rest.prefix { $0 != "/" }
            guard authority.endIndex == rest.endIndex || rest[authority.endIndex...] == "/" else {
                throw Problem("must end after the host and port: remove the path")
            }
            let (host, port) = try hostAndPort(authority)
            guard port != 0 else { throw Problem("has port 0, which nothing listens on") }
            return Value(scheme: scheme, host: Host.lowercased(host), port: port ?? scheme.defaultPort)
        }
    }
}

extension ValueParser where Value == Configuration.ServiceEntry.Endpoint {
    static var endpoint: ValueParser {
        ValueParser { scalar throws(Problem) in
            if scalar.text == "sandbox" { return .sandbox }
            guard scalar.text.contains("://") else {
                throw Problem("must be an https:// or http:// URL, or 'sandbox' for the stand-in in this process")
            }
            return .origin(try ValueParser<Configuration.Origin>.origin.read(scalar))
        }
    }
}

/// The two halves of an authority (RFC 3986, 3.2), without a user.
private func hostAndPort(_ text: Substring) throws(Problem) -> (host: String, port: Int?) {
    let host: Substring
    let rest: Substring
    if text.hasPrefix("[") {
        guard let end = text.firstIndex(of: "]") else { throw Problem("has a '[' without its ']'") }
        host = text[text.index(after: text.startIndex)..<end]
        rest = text[text.index(after: end)...]
        guard host.contains(":") else { throw Problem("has brackets around something that is not an IPv6 address") }
    } else {
        guard text.count(where: { $0 == ":" }) <= 1 else {
            throw Problem("must have its IPv6 address in brackets, such as [::1]:8080")
        }
        host = text.prefix { $0 != ":" }
        rest = text[host.endIndex...]
    }
    guard !host.isEmpty else { throw Problem("has no host before the port") }
    guard Host.isValid(String(host)) else {
        throw Problem("must name a host (example.com, 192.0.2.1 or [2001:db8::1]), not \(String(host).quoted)")
    }
    guard !rest.isEmpty else { return (String(host), nil) }
    let digits = rest.dropFirst()
    let isNumber = rest.hasPrefix(":") && (1...5).contains(digits.utf8.count) && digits.allSatisfy { "0"..."9" ~= $0 }
    guard isNumber, let port = Int(digits), port <= 65_535 else {
        throw Problem("must have a port between 0 and 65535 after the host, not \(String(rest).quoted)")
    }
    return (String(host), port)
}
