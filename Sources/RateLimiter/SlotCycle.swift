public import Primitives

/// A fixed share of a rate, as times at which tokens may be taken: the slots of one of several takers that cannot ask each other.
///
/// Each taker has a seat, and its slots come once a cycle. A slot that is not used in its window is lost, so takers that were idle do not
/// become a burst together. Consecutive seats lie far apart in the cycle (by the golden section), so that a taker whose clock is a little
/// off overlaps with one whose neighbour in time is not its neighbour in number.
public struct SlotCycle: Sendable, Equatable {
    /// The start of one of its slots.
    private let first: MonotonicInstant
    /// From one slot to the next, in nanoseconds.
    private let period: Int64
    /// The part of the period in which a slot is usable, in nanoseconds.
    private let window: Int64
    /// The tokens of a slot: 1, but for rates above 50 a second.
    let tokens: Int64
    /// The slot that tokens were taken from last, and how many.
    private var usedSlot = Int64.min
    private var used: Int64 = 0

    /// The longest window in nanoseconds: what a busy machine may come too late.
    private static let longestWindow: Int64 = 250_000_000
    /// The share of a second that the slots of fast groups are put together to, in nanoseconds.
    public static let batchTime: Int64 = 20_000_000

    private static let mostSeats = 1 << 20

    /// - Parameters:
    ///   - interval: nanoseconds from one token to the next of the whole rate, at least 1.
    ///   - seat: from 0 to `seats - 1`; others count as 0.
    ///   - seats: how many takers share the rate, 1 to 1,048,576.
    ///   - origin: the instant at which a cycle begins for all takers, as this one's clock has it.
    public init(interval: Int64, seat: Int, of seats: Int, origin: MonotonicInstant) {
        let seats = Int64(min(max(1, seats), Self.mostSeats))
        let interval = min(max(1, interval), Int64.max / 4 / seats)
        tokens = min(max(1, Self.batchTime / interval), Int64.max / 4 / seats / interval)
        let slot = interval * tokens
        period = slot * seats
        window = min(Self.longestWindow, max(1, period / 2))
        let stride = Self.stride(seats)
        let place = (0..<seats).contains(Int64(seat)) ? (Int64(seat) * stride) % seats : 0
        first = origin + place * slot
    }

    /// A number near 0.618 of `seats` that has no divisor in common with it.
    private static func stride(_ seats: Int64) -> Int64 {
        var stride = max(1, Int64((Double(seats) * 0.618).rounded()))
        while gcd(stride, seats) != 1 { stride += 1 }
        return stride
    }

    private static func gcd(_ left: Int64, _ right: Int64) -> Int64 { right == 0 ? left : gcd(right, left % right) }

    /// When a slot begins; saturates.
    private func start(of slot: Int64) -> MonotonicInstant {
        let (span, overflow) = slot.multipliedReportingOverflow(by: period)
        return overflow ? (slot < 0 ? .distantPast : .distantFuture) : first + span
    }

    /// The number of the slot that `now` is in or behind.
    private func slot(_ now: MonotonicInstant) -> Int64 {
        let span = now - first
        return span >= 0 ? span / period : -((-(span + 1)) / period) - 1
    }

    /// Takes a token of the slot that is open now.
    mutating func take(now: MonotonicInstant) -> Bool {
        let slot = slot(now)
        guard now - start(of: slot) < window, slot > usedSlot || used < tokens && slot == usedSlot else {
            return false
        }
        used = slot == usedSlot ? used + 1 : 1
        usedSlot = slot
        return true
    }

    /// Puts an unused token back.
    mutating func giveBack() { used = max(0, used - 1) }

    /// When a token can be taken, if `count` others are taken before.
    func availability(behind count: Int, now: MonotonicInstant) -> MonotonicInstant {
        let slot = slot(now)
        let isOpen = now - start(of: slot) < window && slot >= usedSlot
        let left = isOpen ? tokens - (slot == usedSlot ? used : 0) : 0
        guard Int64(count) >= left else { return now }
        let slots = (Int64(count) - left) / tokens
        let (place, overflow) = max(slot, usedSlot).addingReportingOverflow(min(slots, .max - 1) + 1)
        return overflow ? .distantFuture : start(of: place)
    }
}
