internal import Primitives

/// A URL, taken apart. Faults quote nothing of it: a password that is written in the wrong place looks like a host or a port.
struct RedisURL: Equatable {
    let endpoint: RedisEndpoint
    let credentials: RedisCredentials?
    let database: Int?
    let isSecure: Bool

    private static let forms = "redis://host:6379, rediss://host:6379 or unix:///path/of/socket"

    /// - Parameter place: the name of the setting, for faults.
    init(_ text: String, defaultPort: Int, place: String) throws(RedisSettingsFault) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8) else {
            throw RedisSettingsFault(place, "there is no '://'; write \(Self.forms)")
        }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw RedisSettingsFault(place, "it holds a blank or a byte outside ASCII; write such bytes as %XX")
        }
        let scheme = String(decoding: bytes[..<colon].map(\.lowercased), as: UTF8.self)
        let rest = bytes[(colon + 3)...]
        guard !rest.contains(UInt8(ascii: "#")) else {
            throw RedisSettingsFault(place, "it holds a '#'; write it as %23")
        }
        // The user's end is the last '@' before the path, so that a password may hold one.
        let pathStart = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        var authority = rest[..<pathStart]
        var credentials: RedisCredentials?
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            credentials = try Self.credentials(authority[..<at], place)
            authority = authority[(at + 1)...]
        } else if rest[pathStart...].contains(UInt8(ascii: "@")), scheme != "unix", scheme != "redis+unix" {
            throw RedisSettingsFault(place, "a '/' comes before the '@'; write a '/' in a password as %2F")
        }
        self.credentials = credentials
        let path = rest[pathStart...]
        switch scheme {
        case "redis", "rediss":
            isSecure = scheme == "rediss"
            endpoint = try Self.endpoint(authority, defaultPort, place)
            guard !path.contains(UInt8(ascii: "?")) else {
                throw RedisSettingsFault(place, "there are no options behind '?'; the database follows the host: /0")
            }
            database = path.count <= 1 ? nil : try Self.database(path.dropFirst(), place)
        case "unix", "redis+unix":
            isSecure = false
            guard authority.isEmpty else {
                throw RedisSettingsFault(
                    place, "the path of the socket must begin with '/'; write unix:///path/of/socket")
            }
            let parts = path.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
            let socket = try Self.decoded(parts.first ?? [], place)
            // The greatest length of an address of the family: unix(7).
            guard (2...107).contains(socket.utf8.count), !socket.utf8.contains(0) else {
                throw RedisSettingsFault(place, "the path of the socket is empty or longer than 107 bytes")
            }
            endpoint = .unix(path: socket)
            if parts.count > 1 {
                guard parts[1].starts(with: "db=".utf8) else {
                    throw RedisSettingsFault(place, "the only option behind '?' is the database; write ?db=0")
                }
                database = try Self.database(parts[1].dropFirst(3), place)
            } else {
                database = nil
            }
        default:
            throw RedisSettingsFault(place, "the scheme is not known; write \(Self.forms)")
        }
    }

    private static func credentials(
        _ text: ArraySlice<UInt8>, _ place: String
    ) throws(RedisSettingsFault) -> RedisCredentials? {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            throw RedisSettingsFault(
                place,
                "there is a user without a password; write user:password@host, or :password@host for the default user")
        }
        let user = try decoded(text[..<colon], place)
        let password = try decoded(text[(colon + 1)...], place)
        guard !password.isEmpty else {
            throw RedisSettingsFault(place, "the password is empty; write user:password@host, or only the host")
        }
        return RedisCredentials(user: user.isEmpty ? nil : user, password: password)
    }

    private static func endpoint(
        _ text: ArraySlice<UInt8>, _ defaultPort: Int, _ place: String
    ) throws(RedisSettingsFault) -> RedisEndpoint {
        var host = text
        var port: ArraySlice<UInt8>?
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else {
                throw RedisSettingsFault(place, "the ']' behind the address is missing")
            }
            host = text[(text.startIndex + 1)..<end]
            let rest = text[(end + 1)...]
            guard IPAddress(host)?.bytes.count == 16, rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                throw RedisSettingsFault(place, "there is no IPv6 address within the brackets; write [::1]:6379")
            }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
                (host, port) = (text[..<colon], text[(colon + 1)...])
            }
            guard !host.isEmpty, host.count <= 253,
                host.allSatisfy({ $0.isLetter || $0.isDigit || "-._".utf8.contains($0) })
            else { throw RedisSettingsFault(place, "the host is missing or no name; write \(forms)") }
        }
        guard let port else { return .tcp(host: String(decoding: host, as: UTF8.self), port: defaultPort) }
        guard let number = number(port), (1...65535).contains(number) else {
            throw RedisSettingsFault(
                place,
                "the port is no number from 1 to 65535; if this is a password, '@' and the host are missing behind it")
        }
        return .tcp(host: String(decoding: host, as: UTF8.self), port: number)
    }

    private static func database(_ text: ArraySlice<UInt8>, _ place: String) throws(RedisSettingsFault) -> Int {
        guard let number = number(text) else {
            throw RedisSettingsFault(place, "the database is no number from 0 to 99999; write /0 behind the host")
        }
        return number
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy(\.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func decoded(_ text: ArraySlice<UInt8>, _ place: String) throws(RedisSettingsFault) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue else {
                throw RedisSettingsFault(
                    place, "a '%' is not followed by two hexadecimal digits; write '%' itself as %25")
            }
            bytes.append(high << 4 | low)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw RedisSettingsFault(place, "bytes written as %XX are no UTF-8")
        }
        return text
    }
}
