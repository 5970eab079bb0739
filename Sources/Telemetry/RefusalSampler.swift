/// Thins out lines about refused clients that showed no identity: the first line of each reason in a second is written, the others
/// of that second are counted. So a flood of bad requests writes at most `2 × (maxReasons + 1)` lines a second.
struct RefusalSampler {
    /// Reasons that are counted apart in a second; the others share a count.
    static let maxReasons = 32
    private static let otherReason = Array("other".utf8)

    /// Lines of a reason that were left out.
    struct Suppressed: Equatable {
        let reason: [UInt8]
        let count: Int
    }

    private var second = Int64.min
    /// For each reason of this second, how many lines were left out.
    private var counts: [[UInt8]: Int] = [:]

    /// Returns true if a line for `reason` is to be written in this second.
    ///
    /// Call `endSecond` first: it takes what the second before has left.
    mutating func admits(_ reason: [UInt8]) -> Bool {
        let key = counts[reason] != nil || counts.count < Self.maxReasons ? reason : Self.otherReason
        guard let count = counts[key] else {
            counts[key] = 0
            return true
        }
        counts[key] = count + 1
        return false
    }

    /// Begins a new second if it is one.
    ///
    /// - Parameter now: seconds of any clock.
    /// - Returns: the lines that were left out in the one before.
    mutating func endSecond(_ now: Int64) -> [Suppressed] {
        // Threads that looked at the clock before others have come later.
        guard now > second else { return [] }
        second = now
        guard !counts.isEmpty else { return [] }
        defer { counts.removeAll(keepingCapacity: true) }
        return counts.compactMap { $1 > 0 ? Suppressed(reason: $0, count: $1) : nil }
    }
}
