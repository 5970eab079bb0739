/// The names of the objects that a reader is in, innermost last: it finds out whether a name occurs twice in its object.
///
/// All objects of a text use one array, so that reading it allocates little however many there are.
struct MemberNames {
    /// An object whose names are being collected.
    struct Object {
        /// Where its names begin.
        fileprivate let start: Int
        /// Bits that its names have set. A name whose bit is not set is a new one.
        fileprivate var filter: UInt64 = 0
        /// Whether one of its names has escapes, so that the bits say nothing.
        fileprivate var hasEscapes = false
        /// The names, decoded, once there are many or one of several has escapes: each is decoded once, however many it must be
        /// told apart from.
        fileprivate var set: Set<[UInt8]> = []
    }

    private static let few = 16
    private var names: [JSONToken] = []

    /// Begins an object within the one that was begun last.
    func begin() -> Object { Object(start: names.count) }

    /// Ends the object that was begun last.
    mutating func end(_ object: Object) { names.removeSubrange(object.start...) }

    /// Adds a name to the object that was begun last.
    ///
    /// - Returns: false if it has that name already.
    mutating func insert(_ name: JSONToken, in object: inout Object, of bytes: Span<UInt8>) -> Bool {
        object.hasEscapes = object.hasEscapes || name.hasEscapes
        let count = names.count - object.start
        guard count < (object.hasEscapes ? 1 : Self.few) else {
            if object.set.isEmpty { object.set = Set(names[object.start...].map { $0.string(in: bytes) }) }
            return object.set.insert(name.string(in: bytes)).inserted
        }
        if !object.hasEscapes {
            let bit = Self.bit(name, bytes)
            if object.filter & bit != 0 {
                for index in object.start..<names.count where Self.same(names[index], name, bytes) { return false }
            }
            object.filter |= bit
        }
        names.append(name)
        return true
    }

    /// A bit that is the same for equal names without escapes: of their length, and of the characters at their ends.
    private static func bit(_ name: JSONToken, _ bytes: Span<UInt8>) -> UInt64 {
        let first = bytes[name.range.lowerBound + 1]
        let last = bytes[max(name.range.lowerBound + 1, name.range.upperBound - 2)]
        return 1 << UInt64((name.range.count &* 5 &+ Int(first) &+ Int(last) &* 3) & 63)
    }

    /// Whether two names without escapes are the same.
    private static func same(_ left: JSONToken, _ right: JSONToken, _ bytes: Span<UInt8>) -> Bool {
        guard left.range.count == right.range.count else { return false }
        for offset in 0..<left.range.count
        where bytes[left.range.lowerBound + offset] != bytes[right.range.lowerBound + offset] {
            return false
        }
        return true
    }
}
