/// The member names of the objects around a reader's position, innermost last. Detects duplicates in an object.
///
/// All objects of a text share one array, so that many objects cause few allocations.
struct MemberNames {
    /// An object that is being read.
    struct Object {
        /// The index of its first name.
        fileprivate let start: Int
        /// A bit for each name. A name whose bit is not set is new.
        fileprivate var filter: UInt64 = 0
        /// True if one of its names has escapes; the filter is not used then.
        fileprivate var hasEscapes = false
        /// The decoded names, once there are many, or several of which one has escapes. Each is decoded once.
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
    /// - Returns: false if the object has that name already.
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

    /// The filter's bit of a name without escapes, from its length and its first and last character.
    private static func bit(_ name: JSONToken, _ bytes: Span<UInt8>) -> UInt64 {
        let first = bytes[name.range.lowerBound + 1]
        let last = bytes[max(name.range.lowerBound + 1, name.range.upperBound - 2)]
        return 1 << UInt64((name.range.count &* 5 &+ Int(first) &+ Int(last) &* 3) & 63)
    }

    /// Returns true if two names without escapes are equal.
    private static func same(_ left: JSONToken, _ right: JSONToken, _ bytes: Span<UInt8>) -> Bool {
        guard left.range.count == right.range.count else { return false }
        for offset in 0..<left.range.count
        where bytes[left.range.lowerBound + offset] != bytes[right.range.lowerBound + offset] {
            return false
        }
        return true
    }
}
