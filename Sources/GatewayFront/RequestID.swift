/// Ids of answers, in the form of a UUID: a part that is random for each event loop of each process, and a counter.
///
/// Unique like random ones, at a fraction of their cost: only the digits of the counter are written anew.
struct RequestID {
    /// The header field that carries the id, a whole line: `name: ` and 36 characters.
    private(set) var line: [UInt8]
    private var counter: UInt64

    /// The id alone.
    var text: [UInt8] { Array(line[Self.start..<Self.start + 36]) }

    init() {
        line = Self.prefix + Array("00000000-0000-4000-8000-000000000000\r\n".utf8)
        counter = UInt64.random(in: 0..<1 << 32)
        var random = SystemRandomNumberGenerator()
        for place in Self.randomPlaces { line[Self.start + place] = Self.digits[Int(random.next() & 15)] }
    }

    /// Goes on to the next id.
    mutating func advance() {
        counter &+= 1
        var rest = counter
        for place in Self.counterPlaces {
            line[Self.start + place] = Self.digits[Int(truncatingIfNeeded: rest & 15)]
            rest >>= 4
        }
    }

    private static let prefix = Array("x-amzn-RequestId: ".utf8)
    private static let start = prefix.count
    private static let digits = Array("0123456789abcdef".utf8)
    private static let randomPlaces = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 15, 16, 17, 20, 21, 22]
    private static let counterPlaces = [35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24]
}
