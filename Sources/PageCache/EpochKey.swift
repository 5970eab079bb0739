/// The secret of the hash that gives each scope its counter. Who does not know it cannot choose a name that shares the counter of another
/// domain, and so void that domain's pages.
///
/// The hash is SipHash-2-4 (Aumasson and Bernstein 2012, "SipHash: a fast short-input PRF", section 2). Unlike Swift's it is the same in
/// every process, because gateways that share pages exchange scopes, and a snapshot outlives its process.
public struct EpochKey: Sendable, Equatable {
    /// The key of gateways without a secret in common: everybody knows it.
    public static let known = EpochKey([])

    private let low, high: UInt64

    /// - Parameter bytes: the first 16 are used; missing ones count as 0.
    public init(_ bytes: [UInt8]) {
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        low = word(bytes.prefix(8))
        high = word(bytes.dropFirst(8).prefix(8))
    }

    /// A number for the identity of this key, from which it cannot be found.
    public var fingerprint: UInt64 { hash("", Array("fingerprint".utf8)) }

    /// The hash of a service's name and a domain's id.
    func hash(_ service: String, _ domain: [UInt8]) -> UInt64 {
        var state = SipState(low, high)
        for byte in service.utf8 { state.add(byte) }
        // A separator: UTF-8 has no such byte.
        state.add(0xff)
        for byte in domain { state.add(byte) }
        return state.finish()
    }

    /// The hash of bytes, as the paper defines it.
    func hash(_ bytes: [UInt8]) -> UInt64 {
        var state = SipState(low, high)
        for byte in bytes { state.add(byte) }
        return state.finish()
    }
}

/// The state of SipHash-2-4 between two bytes.
private struct SipState {
    private var words: (UInt64, UInt64, UInt64, UInt64)
    /// The bytes since the last whole word, the first one lowest.
    private var rest: UInt64 = 0
    private var count: UInt64 = 0

    init(_ low: UInt64, _ high: UInt64) {
        words = (
            low ^ 0x736f_6d65_7073_6575, high ^ 0x646f_7261_6e64_6f6d, low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573
        )
    }

    mutating func add(_ byte: UInt8) {
        rest |= UInt64(byte) << ((count & 7) * 8)
        count &+= 1
        if count & 7 == 0 { compress() }
    }

    mutating func finish() -> UInt64 {
        rest |= count << 56
        compress()
        words.2 ^= 0xff
        for _ in 0..<4 { round() }
        return words.0 ^ words.1 ^ words.2 ^ words.3
    }

    private mutating func compress() {
        words.3 ^= rest
        round()
        round()
        words.0 ^= rest
        rest = 0
    }

    private mutating func round() {
        words.0 &+= words.1
        words.1 = rotated(words.1, 13) ^ words.0
        words.0 = rotated(words.0, 32)
        words.2 &+= words.3
        words.3 = rotated(words.3, 16) ^ words.2
        words.0 &+= words.3
        words.3 = rotated(words.3, 21) ^ words.0
        words.2 &+= words.1
        words.1 = rotated(words.1, 17) ^ words.2
        words.2 = rotated(words.2, 32)
    }

    private func rotated(_ word: UInt64, _ count: UInt64) -> UInt64 { word << count | word >> (64 - count) }
}
