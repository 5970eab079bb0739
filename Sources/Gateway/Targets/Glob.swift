/// A pattern of names: `*` stands for any number of bytes, `?` for one, everything else for itself.
public struct Glob: Sendable, Equatable {
    private let pattern: [UInt8]

    public init(_ pattern: String) { self.pattern = Array(pattern.utf8) }

    var matchesAll: Bool { !pattern.isEmpty && pattern.allSatisfy { $0 == UInt8(ascii: "*") } }

    /// Returns true if all of a name matches. The effort is the product of both lengths at the most, whatever the pattern.
    public func matches(_ name: [UInt8]) -> Bool {
        var place = 0
        var index = 0
        // Behind the last star, and where its match ends so far: on a mismatch the star takes one byte more.
        var star: (place: Int, end: Int)?
        while index < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                place += 1
                star = (place, index)
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == name[index] {
                place += 1
                index += 1
            } else if let last = star {
                place = last.place
                index = last.end + 1
                star = (place, index)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
