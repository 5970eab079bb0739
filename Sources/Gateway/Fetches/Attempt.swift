// One value for each attempt of a fetch, whose state is its type:
//
//     WaitingAttempt ──admit──▶ GrantedAttempt ──depart──▶ SentAttempt
//       │   ▲  ▲                     │                        │   │
//       │   │  └──────giveBack───────┘                        │   │
//       │   └──────────────────────repeated───────────────────┘   │
//       └──end──▶ EndedAttempt ◀──────────────ended───────────────┘
//                      └── Gate.finish
//
// None can be copied, and each step consumes one: tokens are given back at most once, and a fetch is finished at most once.

/// What an attempt carries through its states. It can be copied, as quota groups need it, so it stays in this module.
struct AttemptRecord: Sendable {
    var fetch: Fetch
    /// 1 for the first.
    var number = 1
    /// When the attempt before it was sent, in monotonic nanoseconds; nil if none was.
    var sentAt: Int64?
    /// Whether it has taken a token of its domain.
    var holdsDomainToken = false
}

/// An attempt that lacks a token. The next state is granted or ended.
public struct WaitingAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }
}

/// An attempt that has its tokens. The next state is sent; or waiting, if it is given back.
public struct GrantedAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }
}

/// An attempt that was sent; its tokens are spent. The next state is ended; or waiting, as the attempt after it.
public struct SentAttempt: ~Copyable, Sendable {
    let record: AttemptRecord
    /// Monotonic nanoseconds.
    public let sentAt: Int64
    public var fetch: Fetch { record.fetch }
    /// 1 for the first.
    public var number: Int { record.number }

    /// The attempt that follows this one, which has failed.
    public consuming func repeated() -> WaitingAttempt {
        WaitingAttempt(record: AttemptRecord(fetch: record.fetch, number: record.number + 1, sentAt: sentAt))
    }

    public consuming func ended() -> EndedAttempt {
        EndedAttempt(fetch: record.fetch, attempts: record.number, sentAt: sentAt)
    }
}

/// The last attempt of a fetch has ended, or will not be sent: the right to finish the fetch, see `Gate.finish`.
public struct EndedAttempt: ~Copyable, Sendable {
    let fetch: Fetch
    /// How many attempts were sent.
    let attempts: Int
    /// When the last of them was sent, in monotonic nanoseconds; nil if none was.
    let sentAt: Int64?
}

/// Attempts on their way to who sends them, first in, first out. (An array cannot hold what cannot be copied.)
public struct GrantedAttempts: ~Copyable, Sendable {
    private var records: [AttemptRecord] = []
    private var first = 0

    public init() {}

    init(_ records: [AttemptRecord]) { self.records = records }

    public mutating func append(_ attempt: consuming GrantedAttempt) { records.append(attempt.record) }

    /// Takes out the first; nil if there is none. The memory is kept for those that come next.
    public mutating func popFirst() -> GrantedAttempt? {
        guard first < records.count else {
            records.removeAll(keepingCapacity: true)
            first = 0
            return nil
        }
        first += 1
        return GrantedAttempt(record: records[first - 1])
    }
}

/// Attempts that will not have their turn in time, first in, first out.
public struct ExpiredAttempts: ~Copyable, Sendable {
    private var records: ArraySlice<AttemptRecord>

    init(_ records: [AttemptRecord]) { self.records = records[...] }

    /// Takes out the first; nil if there is none.
    public mutating func popFirst() -> WaitingAttempt? { records.popFirst().map { WaitingAttempt(record: $0) } }
}
