/// Makes identifiers of requests that look like UUIDs: random digits chosen once, and a counter. A real UUID costs random
/// bits and formatting for each request, and clients only ever compare and print them.
struct RequestIdentifiers: Sendable {
    private static let digits = Array("0123456789abcdef".utf8)
    /// The first half, with the version number of random UUIDs (RFC 9562, section 5.4).
    private let prefix: UInt64
    private var counter: UInt64 = 0

    init() {
        prefix = UInt64.random(in: .min ... .max) & ~0xf000 | 0x4000
    }

    mutating func next() -> [UInt8] {
        counter &+= 1
        // The two highest bits are the variant.
        let suffix = counter & (1 << 62 - 1) | 1 << 63
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for place in 0..<32 {
            if place == 8 || place == 12 || place == 16 || place == 20 { text.append(UInt8(ascii: "-")) }
            let half = place < 16 ? prefix : suffix
            text.append(Self.digits[Int(half >> UInt64(60 - 4 * (place % 16)) & 15)])
        }
        return text
    }
}
