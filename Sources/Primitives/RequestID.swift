/// Ids of answers, in the form of a UUID: a part that is random for each event loop of each process, and a counter.
///
/// Unique like random ones, at a fraction of their cost: only the digits of the counter are written anew.
public struct RequestID: Sendable {
    /// The header fields of an answer: those that were given before the id, and the line that carries it.
    /// Stored and settable, so that other modules change its digits in place.
    public var lines: [UInt8]
    private let lineStart: Int
    @usableFromInline let end: Int

    /// The line that carries the id.
    public var line: [UInt8] { Array(lines[lineStart...]) }
    /// The id alone.
    public var text: [UInt8] { Array(lines[end - Self.length..<end]) }

    /// - Parameter fields: lines that most answers have before it.
    public init(after fields: StaticString = "") {
        lines = "\(fields)x-amzn-RequestId: 00000000-0000-4000-8000-000000000000\r\n".utf8.map { $0 }
        lineStart = fields.utf8CodeUnitCount
        end = lines.count - 2
        var random = SystemRandomNumberGenerator()
        for place in Self.randomPlaces {
            lines[end - Self.length + place] = Self.digits[Int(random.next() & 15)]
        }
    }

    /// Goes on to the next id. Most times a single digit changes.
    @inlinable
    public mutating func advance() {
        var place = end
        while place > end - Self.counterLength {
            place -= 1
            let digit = lines[place]
            guard digit == UInt8(ascii: "f") else {
                lines[place] = digit == UInt8(ascii: "9") ? UInt8(ascii: "a") : digit + 1
                return
            }
            lines[place] = UInt8(ascii: "0")
        }
    }

    private static var length: Int { 36 }
    @usableFromInline static var counterLength: Int { 12 }
    private static let digits = Array("0123456789abcdef".utf8)
    /// The last of the counter's digits begin anywhere, so that ids do not tell how many requests there were.
    private static let randomPlaces = [
        0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17, 20, 21, 22, 28, 29, 30, 31, 32, 33, 34, 35,
    ]
}
