internal import Gateway

/// What an attempt asks, as far as it may be the cause of a failure: hashes, the same for the same values within a process.
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
        hasher.combine(fetch.body)
        key = hasher.finalize()
        domain = fetch.domain.hashValue
    }
}

/// How the inputs of the last minute ended the last time each, and what those that failed have in common.
///
/// Bounded: once it is full, new inputs that are answered well are not remembered.
struct RecentInputs {
    private struct Record {
        var input: AttemptInput
        var endedAt: Int64
        var isWell: Bool
    }

    private static let span: Int64 = 60_000_000_000
    static let maxCount = 1024

    private var records: [Int: Record] = [:]

    mutating func add(_ input: AttemptInput, isWell: Bool, now: Int64) {
        if records[input.key] == nil, records.count >= Self.maxCount {
            records = records.filter { isRecent($0.value, now) }
            if records.count >= Self.maxCount {
                // A failure tells more than a good answer; of many failures one more tells nothing.
                guard !isWell, let other = records.first(where: { $0.value.isWell }) else { return }
                records[other.key] = nil
            }
        }
        records[input.key] = Record(input: input, endedAt: now, isWell: isWell)
    }

    /// Whether an input was answered well the last time, within the span.
    func isWell(_ input: AttemptInput, now: Int64) -> Bool {
        records[input.key].map { $0.isWell && isRecent($0, now) } ?? false
    }

    /// Whether at least as many have failed as were answered well.
    func mostFail(now: Int64) -> Bool {
        var balance = 0
        for record in records.values where isRecent(record, now) { balance += record.isWell ? -1 : 1 }
        return balance >= 0
    }

    /// Whether the failures are those of some keys, domains or operations, fewer than `count`, while others are answered well.
    ///
    /// Complexity: linear in the number of inputs.
    func explainFailures(fewerThan count: Int, now: Int64) -> Bool {
        [\AttemptInput.key, \.domain, \.operation].contains { part in
            var failing: Set<Int> = []
            for record in records.values where !record.isWell && isRecent(record, now) {
                failing.insert(record.input[keyPath: part])
                if failing.count >= count { return false }
            }
            return records.values.contains { record in
                record.isWell && isRecent(record, now) && !failing.contains(record.input[keyPath: part])
            }
        }
    }

    /// The service answers again: what failed may not fail any more.
    mutating func forgetFailures() { records = records.filter { $0.value.isWell } }

    private func isRecent(_ record: Record, _ now: Int64) -> Bool {
        let (age, overflow) = now.subtractingReportingOverflow(record.endedAt)
        return overflow ? now < 0 : age < Self.span
    }
}
