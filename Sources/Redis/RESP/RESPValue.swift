/// A reply, or an element of one, in version 2 of Redis's protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/).
public enum RESPValue: Sendable, Equatable {
    /// `+`: a short text without CR and LF.
    case simple([UInt8])
    /// `-`: an error, at the top of a reply or within an array.
    case error(RedisServerError)
    /// `:`
    case integer(Int64)
    /// `$`: any bytes.
    case bulk([UInt8])
    /// `*`
    case array([RESPValue])
    /// `$-1` and `*-1`, which no command gives different meanings.
    case null

    /// The bytes of a simple or bulk string; `nil` for any other value.
    public var bytes: [UInt8]? {
        switch self {
        case .simple(let bytes), .bulk(let bytes): bytes
        default: nil
        }
    }

    /// The bytes of a simple or bulk string as UTF-8, repaired where they are none; `nil` for any other value.
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// The number of an integer; `nil` for any other value, also for a string of digits.
    public var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    /// The elements of an array; `nil` for any other value.
    public var array: [RESPValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }
}
