/// The URL of a credentials service: `http` or `https`, a host, an optional port, a path and a query.
///
/// It is parsed strictly, because the decision on its host (a token may be sent in the clear) must hold for the host that
/// libcurl connects to: no user, no escapes or backslashes in the host, only printable ASCII.
struct WebAddress: Sendable, Equatable {
    let isTLS: Bool
    /// In lower case; an IPv6 address without its brackets.
    let host: String
    /// `nil` for the scheme's default.
    let port: UInt16?
    /// `/` if the URL has none.
    let path: String
    /// Without its question mark.
    let query: String

    init?(_ text: String) {
        let rest: Substring
        if text.prefix(8).lowercased() == "https://" {
            (isTLS, rest) = (true, text.dropFirst(8))
        } else if text.prefix(7).lowercased() == "http://" {
            (isTLS, rest) = (false, text.dropFirst(7))
        } else {
            return nil
        }
        guard
            text.utf8.allSatisfy({ (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") })
        else { return nil }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let target = rest[authority.endIndex...]
        path = target.first == "/" ? String(target.prefix { $0 != "?" }) : "/"
        query = String(target.drop { $0 != "?" }.dropFirst())

        let name: Substring
        let number: Substring
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            name = authority[authority.index(after: authority.startIndex)..<end]
            number = authority[authority.index(after: end)...]
            guard name.contains(":"), name.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else { return nil }
        } else {
            name = authority.prefix { $0 != ":" }
            number = authority[name.endIndex...]
            guard name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" }) else {
                return nil
            }
        }
        guard !name.isEmpty else { return nil }
        host = name.lowercased()
        if number.isEmpty {
            port = nil
        } else {
            guard number.first == ":", number.dropFirst().allSatisfy(\.isNumber),
                let value = UInt16(number.dropFirst()), value > 0
            else { return nil }
            port = value == (isTLS ? 443 : 80) ? nil : value
        }
    }

    /// Scheme, host and port.
    var origin: String { (isTLS ? "https://" : "http://") + authority }

    /// The value of the `Host` field.
    var authority: String { (host.contains(":") ? "[\(host)]" : host) + (port.map { ":\($0)" } ?? "") }

    var url: String { origin + path + (query.isEmpty ? "" : "?" + query) }
}
