/// A SHA-256 digest as 64 lower-case hexadecimal digits, the form of a signature.
struct HexDigest: Sendable {
    static let length = 64

    /// Eight digits each, in the order of the text.
    private var words = InlineArray<8, UInt64>(repeating: 0)

    init(_ digest: SHA256.Digest) {
        for index in words.indices { words[index] = Self.digits(UInt32(littleEndian: digest[index])).littleEndian }
    }

    /// The eight digits of four bytes, without a branch, so that the time does not depend on the bytes. The first byte and the first
    /// digit are the lowest.
    @inline(__always)
    private static func digits(_ bytes: UInt32) -> UInt64 {
        var spread = UInt64(bytes)
        spread = (spread | spread &<< 16) & 0x0000_ffff_0000_ffff
        spread = (spread | spread &<< 8) & 0x00ff_00ff_00ff_00ff
        let values = spread &>> 4 & 0x000f_000f_000f_000f | (spread & 0x000f_000f_000f_000f) &<< 8
        // A value from 10 on carries into the upper half of its byte. Letters are 39 above the digits' continuation.
        let letters = (values &+ 0x0606_0606_0606_0606) &>> 4 & 0x0101_0101_0101_0101
        return values &+ 0x3030_3030_3030_3030 &+ letters &* 39
    }

    /// Writes the digits to the beginning of `place`; does nothing if it is too short.
    @unsafe func write(to place: UnsafeMutableRawBufferPointer) {
        guard place.count >= Self.length else { return }
        unsafe place.storeBytes(of: words, as: InlineArray<8, UInt64>.self)
    }

    /// Returns true if a text consists of the same digits. Compares in constant time.
    func isEqual(to text: Span<UInt8>) -> Bool {
        guard text.count == Self.length else { return false }
        var difference: UInt64 = 0
        for index in words.indices { difference |= words[index] ^ text.word(at: 8 * index) }
        return difference == 0
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends the digits of a digest; does nothing if there is no room.
    mutating func append(_ digest: HexDigest) {
        // Unsafe because of the pointers: there is room for the digits.
        unsafe withUnsafeMutableBufferPointer { output, count in
            guard output.count - count >= HexDigest.length else { return }
            unsafe digest.write(
                to: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(output)[count...]))
            count += HexDigest.length
        }
    }
}

extension [UInt8] {
    mutating func append(_ digest: HexDigest) { append(addingCapacity: HexDigest.length) { $0.append(digest) } }
}
