/// An estimate of recent requests by key: a count-min sketch of 4-bit counters, all of which are halved from time to time.
///
/// Einziger, Friedman, Manes: TinyLFU: A Highly Efficient Cache Admission Policy, ACM Transactions on Storage 13 (4), 2017,
/// section 3. Sixteen counters share a word; a key has one counter in each of four words.
struct FrequencySketch {
    private var words: [UInt64]
    private var mask: UInt64
    private var additions = 0
    /// Counters are halved after ten times as many additions as the cache has entries (section 3.3).
    private var sample: Int

    /// - Parameter capacity: the number of cache entries, rounded up to a power of two from 64 to 2²⁴.
    init(capacity: Int) {
        var size = 64
        while size < capacity, size < 1 << 24 { size <<= 1 }
        words = [UInt64](repeating: 0, count: size)
        mask = UInt64(size - 1)
        sample = 10 * size
    }

    /// The number of cache entries that the sketch is sized for.
    var capacity: Int { words.count }

    /// Doubles the capacity and keeps all counts: one more bit of the hash is used, and each word becomes two equal ones.
    mutating func grow() {
        guard words.count < 1 << 24 else { return }
        words += words
        mask = UInt64(words.count - 1)
        sample = 10 * words.count
    }

    /// Counts one more request.
    mutating func increment(_ hash: UInt64) {
        // Without branches on the counts: they are seldom in the processor's cache, and a branch would wait for them.
        var added: UInt64 = 0
        for row in 0..<4 {
            let (word, shift) = place(hash, row)
            // 1 while the count is below 15.
            let room = ((words[word] >> shift & 15) &- 15) >> 63
            words[word] &+= room << shift
            added |= room
        }
        additions += Int(added)
        if additions >= sample { halve() }
    }

    /// The estimated number of recent requests, 0 to 15: never too low between two halvings, sometimes too high.
    func estimate(_ hash: UInt64) -> UInt64 {
        var least: UInt64 = 15
        for row in 0..<4 {
            let (word, shift) = place(hash, row)
            least = min(least, words[word] >> shift & 15)
        }
        return least
    }

    private mutating func halve() {
        for index in words.indices { words[index] = words[index] >> 1 & 0x7777_7777_7777_7777 }
        additions /= 2
    }

    private func place(_ hash: UInt64, _ row: Int) -> (word: Int, shift: UInt64) {
        // A different odd multiplier for each row spreads the hash in four independent ways.
        let mixed = (hash &+ UInt64(row) &* 0x9e37_79b9_7f4a_7c15) &* Self.multipliers[row]
        let spread = mixed ^ mixed >> 32
        return (Int(truncatingIfNeeded: spread & mask), (spread >> 58 & 3 | UInt64(row) << 2) << 2)
    }

    private static let multipliers: [UInt64] = [
        0xc3a5_c85c_97cb_3127, 0xb492_b66f_be98_f273, 0x9ae1_6a3b_2f90_404f, 0xcbf2_9ce4_8422_2325,
    ]
}
