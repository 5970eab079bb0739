/// A cache of signing keys, each derived at its first use: there may be a thousand access keys and a hundred services, of which
/// few pairs are in use. It grows up to `maxKeys`. Then a new key replaces another one, which must be derived again at its next
/// use.
struct SigningKeyTable {
    /// The identity of a signing key.
    struct Name: Equatable {
        /// The access key's index in the ring; -1 for an unknown one.
        let key: Int
        let scope: Int
        /// The number of days since 1970.
        let day: Int64

        /// Two days of one key and scope have different sets.
        var hash: UInt64 {
            var hash = UInt64(bitPattern: Int64(key)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= UInt64(bitPattern: Int64(scope)) &* 0xc2b2_ae3d_27d4_eb4f
            hash ^= UInt64(bitPattern: day) &* 0x1656_67b1_9e37_79f9
            return hash ^ hash >> 32
        }
    }

    /// A power of two, and a multiple of `ways`.
    static let maxKeys = 4096
    /// The number of places in a set, which are adjacent. A key is in one of them.
    private static let ways = 4

    private var names = [Name?](repeating: nil, count: ways)
    private var keys = [SigningKey?](repeating: nil, count: ways)
    /// The place in a full set that the next new key replaces.
    private var next = 0

    init() {}

    /// The number of places.
    var capacity: Int { names.count }

    /// The place of a key; `nil` if it is not in the table.
    @inline(__always)
    func place(of name: Name) -> Int? {
        let first = firstPlace(name)
        for place in first..<first + Self.ways where names[place] == name { return place }
        return nil
    }

    @inline(__always)
    mutating func sign(_ request: CanonicalRequest, time: Span<UInt8>, at place: Int) -> HexDigest? {
        keys[place]?.sign(request, time: time)
    }

    @inline(__always)
    private func firstPlace(_ name: Name) -> Int {
        Int(truncatingIfNeeded: name.hash & UInt64(names.count / Self.ways - 1)) * Self.ways
    }

    /// Adds a key that is not in the table.
    ///
    /// - Returns: the key's place.
    mutating func insert(_ key: SigningKey, for name: Name) -> Int {
        while true {
            let places = firstPlace(name)..<firstPlace(name) + Self.ways
            // Keys of past days are of no use: signatures are valid for minutes.
            let free = places.first { place in names[place].map { $0.day < name.day - 1 } ?? true }
            guard let place = free ?? (names.count < Self.maxKeys ? nil : places.lowerBound + next) else {
                grow()
                continue
            }
            next = (next + 1) % Self.ways
            names[place] = name
            keys[place] = key
            return place
        }
    }

    /// Doubles the number of sets: the keys of each are split over two.
    private mutating func grow() {
        let old = (names, keys)
        names = [Name?](repeating: nil, count: 2 * old.0.count)
        keys = [SigningKey?](repeating: nil, count: names.count)
        for (name, key) in zip(old.0, old.1) {
            guard let name else { continue }
            let first = firstPlace(name)
            guard let place = (first..<first + Self.ways).first(where: { names[$0] == nil }) else { continue }
            names[place] = name
            keys[place] = key
        }
    }
}
