internal import Gateway
internal import Primitives

/// An attempt's input, as far as it may be the cause of a failure: hashes, stable within a process.
struct AttemptInput: Hashable {
    /// All of it: the operation and its whole input.
    var key: Int
    var domain: Int
    var operation: Int
}

extension AttemptInput {
    init(_ fetch: Fetch) {
        var hasher = Hasher()
        hasher.combine(fetch.target)
        operation = hasher.finalize()
        hasher.combine(all: fetch.body)
        key = hasher.finalize()
        var domainHasher = Hasher()
        domainHasher.combine(all: fetch.domain)
        domain = domainHasher.finalize()
    }
}

extension Hasher {
    /// Takes the bytes in one call; `Array`'s own conformance feeds them to the hasher one by one.
    fileprivate mutating func combine(all bytes: [UInt8]) {
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe combine(bytes: $0) }
    }
}

/// The last result of each input of the last minute, and what the failed ones have in common.
///
/// A set-associative table: an input is kept in one of four places that its key chooses, so that adding one takes constant
/// time. Where the four are taken, the oldest that was answered well gives way; a failure does not.
struct RecentInputs {
    private struct Record {
        var input = AttemptInput(key: 0, domain: 0, operation: 0)
        var endedAt: MonotonicInstant = .distantPast
        var state = State.free
    }

    private enum State {
        case free
        case well
        case failed
    }

    private static let span: Int64 = 60_000_000_000
    private static let ways = 4
    static let maxCount = 1024

    /// Empty until the first attempt has ended: a service that is never asked takes no memory.
    private var records: [Record] = []

    /// Complexity: O(1).
    mutating func add(_ input: AttemptInput, isWell: Bool, now: MonotonicInstant) {
        if records.isEmpty { records = Array(repeating: Record(), count: Self.maxCount) }
        var place: Int?
        var oldest = MonotonicInstant.distantFuture
        for candidate in Self.places(of: input) {
            let record = records[candidate]
            if record.state != .free, record.input.key == input.key {
                place = candidate
                break
            }
            // A free or outdated place is older than all others.
            let age = isRecent(record, now) ? record.endedAt : .distantPast
            guard age == .distantPast || record.state == .well, place == nil || age < oldest else { continue }
            (place, oldest) = (candidate, age)
        }
        guard let place else { return }
        records[place] = Record(input: input, endedAt: now, state: isWell ? .well : .failed)
    }

    /// Returns true if an input was answered well the last time, within the span.
    func isWell(_ input: AttemptInput, now: MonotonicInstant) -> Bool {
        guard !records.isEmpty else { return false }
        return Self.places(of: input).contains { place in
            let record = records[place]
            return record.state == .well && record.input.key == input.key && isRecent(record, now)
        }
    }

    /// Returns true if at least as many have failed as were answered well.
    func mostFail(now: MonotonicInstant) -> Bool {
        var balance = 0
        for record in records where isRecent(record, now) { balance += record.state == .well ? -1 : 1 }
        return balance >= 0
    }

    /// Returns true if the failures are those of some keys, domains or operations, fewer than `count`, while others are answered
    /// well.
    ///
    /// Complexity: linear in `maxCount`.
    func explainFailures(fewerThan count: Int, now: MonotonicInstant) -> Bool {
        let recent = records.filter { isRecent($0, now) }
        return [\AttemptInput.key, \.domain, \.operation].contains { part in
            var failing: Set<Int> = []
            for record in recent where record.state == .failed {
                failing.insert(record.input[keyPath: part])
                if failing.count >= count { return false }
            }
            return recent.contains { $0.state == .well && !failing.contains($0.input[keyPath: part]) }
        }
    }

    /// The service answers again: what failed may not fail any more.
    mutating func forgetFailures() {
        for place in records.indices where records[place].state == .failed { records[place] = Record() }
    }

    private static func places(of input: AttemptInput) -> Range<Int> {
        let first = Int(input.key.magnitude % UInt(maxCount / ways)) * ways
        return first..<first + ways
    }

    private func isRecent(_ record: Record, _ now: MonotonicInstant) -> Bool {
        return record.state != .free && now - record.endedAt < Self.span
    }
}
