/// The reason why bytes are no reply. The connection that they came over is closed: where the next reply begins is unknown.
public enum RESPFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// A reply or an element begins with this byte, which is no type of RESP2.
    case unknownType(UInt8)
    /// A line feed without a carriage return before it, or the reverse.
    case bareLineEnd
    /// A number that is not written as Redis writes it: an optional minus, no plus, no leading zero, in the range of 64 bits.
    case malformedNumber
    /// The length of a bulk string or array is negative and not -1.
    case negativeLength
    /// A bulk string is not followed by CR LF.
    case missingLineEnd
    case lineTooLong
    case bulkTooLong
    case replyTooLong
    case nestedTooDeep
    /// A reply came while no call waited for one.
    case unsolicited

    public var description: String {
        switch self {
        case .unknownType(let byte): "a reply begins with byte \(byte): is this a Redis server, and does it expect TLS?"
        case .bareLineEnd: "a line does not end with CR LF"
        case .malformedNumber: "a number is malformed"
        case .negativeLength: "a length is negative"
        case .missingLineEnd: "a bulk string does not end with CR LF"
        case .lineTooLong: "a line is too long"
        case .bulkTooLong: "a bulk string is too long"
        case .replyTooLong: "a reply is too long"
        case .nestedTooDeep: "a reply is nested too deep"
        case .unsolicited: "a reply came that no command has asked for"
        }
    }
}
