/// The signing keys of late, each made when it is first used: there may be a thousand access keys and a hundred services, of
/// which a few pairs are in use. It grows up to `most` keys; then a newcomer takes the place of another, which costs
/// that one's next request as much again as a signature.
struct SigningKeyTable {
    /// What a key is for.
    struct Name: Equatable {
        /// The access key's place in the ring; -1 for the key that stands in for an unknown one.
        let key: Int
        /// The scope's place in the ring.
        let scope: Int
        /// Since 1970.
        let day: Int64

        /// Days of one key and scope lie in different sets.
        var hash: UInt64 {
            var hash = UInt64(bitPattern: Int64(key)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= UInt64(bitPattern: Int64(scope)) &* 0xc2b2_ae3d_27d4_eb4f
            hash ^= UInt64(bitPattern: day) &* 0x1656_67b1_9e37_79f9
            return hash ^ hash >> 32
        }
    }

    /// A power of two, and a multiple of `ways`.
    static let most = 4096
    /// A key is in one of so many places; all of a set are one after the other.
    private static let ways = 4

    private var names = [Name?](repeating: nil, count: ways)
    private var keys = [SigningKey?](repeating: nil, count: ways)
    /// Which of its set the next newcomer replaces where all are in use.
    private var next = 0

    init() {}

    /// How many keys there is room for.
    var capacity: Int { names.count }

    /// The place of a key; `nil` if it is not there.
    @inline(__always)
    func place(of name: Name) -> Int? {
        let first = firstPlace(name)
        for place in first..<first + Self.ways where names[place] == name { return place }
        return nil
    }

    /// Signs with the key at a place.
    @inline(__always)
    mutating func sign(_ request: CanonicalRequest, time: Span<UInt8>, at place: Int) -> HexDigest? {
        keys[place]?.sign(request, time: time)
    }

    @inline(__always)
    private func firstPlace(_ name: Name) -> Int {
        Int(truncatingIfNeeded: name.hash & UInt64(names.count / Self.ways - 1)) * Self.ways
    }

    /// Keeps a key that is not there.
    ///
    /// - Returns: its place.
    mutating func insert(_ key: SigningKey, for name: Name) -> Int {
        while true {
            let places = firstPlace(name)..<firstPlace(name) + Self.ways
            // A day that is over is of no use: signatures are good for minutes.
            let free = places.first { place in names[place].map { $0.day < name.day - 1 } ?? true }
            guard let place = free ?? (names.count < Self.most ? nil : places.lowerBound + next) else {
                grow()
                continue
            }
            next = (next + 1) % Self.ways
            names[place] = name
            keys[place] = key
            return place
        }
    }

    /// Twice as many sets: what was in one is in two now.
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
