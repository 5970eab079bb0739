/// A command as it is sent: an array of bulk strings. Its description shows the size only, because arguments may be secrets.
public struct RedisCommand: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The bytes for the socket.
    let bytes: [UInt8]

    /// - Parameter words: the command's name and its arguments.
    public init(words: [[UInt8]]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + words.reduce(0) { $0 + $1.count + 16 })
        Self.append("*", words.count, to: &bytes)
        for word in words {
            Self.append("$", word.count, to: &bytes)
            bytes += word
            bytes += [0x0d, 0x0a]
        }
        self.bytes = bytes
    }

    public init(_ name: String, _ arguments: [[UInt8]] = []) { self.init(words: [Array(name.utf8)] + arguments) }

    /// - Parameter words: the command's name and its arguments, which are text.
    public init(text words: String...) { self.init(words: words.map { Array($0.utf8) }) }

    private static func append(_ type: Unicode.Scalar, _ count: Int, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: type))
        bytes += "\(count)".utf8
        bytes += [0x0d, 0x0a]
    }

    public var description: String { "RedisCommand(\(bytes.count) bytes)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
