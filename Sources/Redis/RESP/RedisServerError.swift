internal import Primitives

/// An error that the server replied with.
public struct RedisServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The first 512 bytes of the text, as UTF-8.
    public let text: String
    /// The error's code: the first word of the text. An error that a script ran into has the code of that error.
    public let code: String

    init(_ bytes: some Collection<UInt8>) {
        let text = Array(bytes.prefix(512))
        self.text = String(decoding: text, as: UTF8.self)
        code = String(decoding: Self.innermost(text).prefix { $0 != 0x20 }, as: UTF8.self)
    }

    public var description: String { text }

    public var kind: RedisError.Kind {
        // A server says this instead of a reply, and closes the connection.
        if text.utf8.starts(with: "ERR max number of clients".utf8) { return .down }
        return switch Code(code) {
        case .noScript: .noScript
        case .denied: .configuration
        case .down, .elsewhere: .down
        case .other: .refused
        }
    }

    /// True if another connection may find a server that does what this one refuses.
    var needsAnotherServer: Bool { Code(code) == .elsewhere }

    /// The endpoint of `MOVED slot host:port`.
    ///
    /// - Parameter current: the server that says so, which is meant by an empty host.
    func movedEndpoint(from current: RedisEndpoint) -> RedisEndpoint? {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0].utf8.elementsEqual("MOVED".utf8) else { return nil }
        guard let colon = words[2].utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        guard let port = UInt16(words[2][words[2].index(after: colon)...]), port > 0 else { return nil }
        let host = String(words[2][..<colon])
        switch (host.isEmpty, current) {
        case (false, _): return .tcp(host: host, port: Int(port))
        case (true, .tcp(let host, _)): return .tcp(host: host, port: Int(port))
        case (true, .unix): return nil
        }
    }

    /// Before version 7 the error of a command in a script is quoted: `ERR Error running script (call to f_…): …: -OOM command not allowed…`.
    private static func innermost(_ text: [UInt8]) -> ArraySlice<UInt8> {
        guard text.starts(with: "ERR Error running script".utf8) else { return text[...] }
        for place in text.indices.dropFirst(2) where text[place] == UInt8(ascii: "-") && text[place - 1] == 0x20 {
            let word = text[(place + 1)...].prefix { $0 != 0x20 }
            if word.count > 1, word.allSatisfy({ $0.isLetter && $0.lowercased != $0 }) { return text[(place + 1)...] }
        }
        return text[...]
    }

    private enum Code {
        case noScript, denied, down, elsewhere, other

        init(_ word: String) {
            let matches: ([StaticString]) -> Bool = { codes in
                codes.contains { code in "\(code)".utf8.elementsEqual(word.utf8) }
            }
            if matches(["NOSCRIPT"]) {
                self = .noScript
            } else if matches(["NOPERM", "NOAUTH", "WRONGPASS", "DENIED"]) {
                self = .denied
            } else if matches(["OOM", "BUSY", "TRYAGAIN", "ASK"]) {
                self = .down
            } else if matches([
                "READONLY", "NOREPLICAS", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MISCONF", "MOVED", "UNBLOCKED",
            ]) {
                self = .elsewhere
            } else {
                self = .other
            }
        }
    }
}
