/// Samples log lines about refused clients without identity: the first line of each reason in a second is written, the others
/// are counted. A flood of bad requests writes at most `2 × (maxReasons + 1)` lines a second.
struct RefusalSampler {
    /// The number of reasons with a count of their own in a second; all others share one.
    static let maxReasons = 32
    private static let otherReason = Array("other".utf8)

    struct Suppressed: Equatable {
        let reason: [UInt8]
        let count: Int
    }

    private var second = Int64.min
    /// The number of suppressed lines in this second, by reason.
    private var counts: [[UInt8]: Int] = [:]

    /// Returns true if a line for `reason` is to be written. Call `endSecond` first, which takes the last second's counts.
    mutating func admits(_ reason: [UInt8]) -> Bool {
        let key = counts[reason] != nil || counts.count < Self.maxReasons ? reason : Self.otherReason
        guard let count = counts[key] else {
            counts[key] = 0
            return true
        }
        counts[key] = count + 1
        return false
    }

    /// Ends the last second if `now` is later.
    ///
    /// - Parameter now: seconds of any clock.
    /// - Returns: the counts of suppressed lines in the ended second.
    mutating func endSecond(_ now: Int64) -> [Suppressed] {
        // A thread that read the clock earlier may get here later.
        guard now > second else { return [] }
        second = now
        guard !counts.isEmpty else { return [] }
        defer { counts.removeAll(keepingCapacity: true) }
        return counts.compactMap { $1 > 0 ? Suppressed(reason: $0, count: $1) : nil }
    }
}
