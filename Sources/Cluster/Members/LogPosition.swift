/// Where a member is in the log.
///
///     away ──join──▶ joining ──joined──▶ reading ──lost──▶ away
///                        └──────lost──────────────────────▲
struct LogPosition: Sendable {
    private enum State {
        case away, joining, reading
    }

    private var state = State.away
    /// The last entry that was acted on; empty if there was none.
    private(set) var last = ""
    /// Raised with each join: replies of an earlier one are of no use.
    private(set) var round: UInt64 = 0

    var isJoined: Bool { state == .reading }

    /// - Returns: the round that begins; nil if one is under way.
    mutating func join() -> UInt64? {
        guard state == .away else { return nil }
        state = .joining
        round &+= 1
        return round
    }

    /// - Returns: false if the round is over.
    mutating func joined(_ round: UInt64, at last: String) -> Bool {
        guard state == .joining, round == self.round else { return false }
        state = .reading
        self.last = last
        return true
    }

    mutating func advance(to last: String) { self.last = last }

    mutating func lose() { state = .away }

    /// Entries are missed from here on: the next join makes all pages void.
    mutating func giveUp() {
        state = .away
        last = ""
    }

    /// Returns true if a text is an entry's id: two numbers.
    static func isID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { UInt64($0) != nil }
    }
}
