internal import Glibc

/// Numbers by texts of bytes, found in constant time. Texts are compared in full; the hash only finds the place.
struct ByteTable: Sendable {
    /// All texts, end to end, in the order of their numbers, and where each begins; at the end, where the last one ends.
    private let bytes: [UInt8]
    private let starts: [Int32]
    /// The numbers plus one, each at or behind the place of its hash; 0 where there is none. At most half of the places are taken.
    private let places: [Int32]

    /// - Parameter texts: different ones. The number of each is its index.
    init(_ texts: [[UInt8]]) {
        var bytes: [UInt8] = []
        var starts: [Int32] = [0]
        var places = [Int32](repeating: 0, count: Self.powerOfTwo(above: 2 * texts.count))
        for (index, text) in texts.enumerated() {
            var place = Self.place(text.span, in: places.count)
            while places[place] != 0 { place = (place + 1) & (places.count - 1) }
            places[place] = Int32(clamping: index + 1)
            bytes += text
            starts.append(Int32(clamping: bytes.count))
        }
        self.bytes = bytes
        self.starts = starts
        self.places = places
    }

    /// The number of a text; nil if it is not there.
    func number(of text: Span<UInt8>) -> Int? {
        var place = Self.place(text, in: places.count)
        while true {
            let number = Int(places[place]) - 1
            if number < 0 { return nil }
            if holds(text, at: number) { return number }
            place = (place + 1) & (places.count - 1)
        }
    }

    private func holds(_ text: Span<UInt8>, at number: Int) -> Bool {
        let (start, end) = (Int(starts[number]), Int(starts[number + 1]))
        guard text.count == end - start, end <= bytes.count else { return false }
        // Unsafe because of the pointers: both have `text.count` bytes.
        return unsafe bytes.withUnsafeBytes { bytes in
            unsafe text.withUnsafeBytes { text in
                guard let base = bytes.baseAddress, let other = text.baseAddress else { return true }
                return unsafe memcmp(base + start, other, text.count) == 0
            }
        }
    }

    private static func powerOfTwo(above count: Int) -> Int {
        var power = 2
        while power <= count { power *= 2 }
        return power
    }

    private static func place(_ text: Span<UInt8>, in count: Int) -> Int {
        Int(truncatingIfNeeded: ByteHash.mix(0, text) >> 32) & (count - 1)
    }
}

/// A hash of bytes that finds places in tables whose entries are compared in full.
enum ByteHash {
    /// Folds eight bytes at a time by a full multiplication; the last eight may overlap those before.
    static func mix(_ hash: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        var hash = hash ^ UInt64(truncatingIfNeeded: bytes.count)
        guard bytes.count >= 8 else {
            for index in bytes.indices { hash = fold(hash ^ UInt64(bytes[index])) }
            return hash
        }
        // Unsafe only in its pointer: every word read lies inside the span.
        return unsafe bytes.withUnsafeBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                hash = unsafe fold(hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += 8
            }
            return unsafe fold(hash ^ bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
        }
    }

    private static func fold(_ word: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return high ^ low
    }
}
