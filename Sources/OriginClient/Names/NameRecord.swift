/// The known addresses of one name, and when it is looked up again.
///
/// The last answer is used, however old, until a lookup brings another: slow or failing lookups hold no attempt up. Time is an
/// argument, in monotonic nanoseconds.
struct NameRecord {
    /// The answer for an attempt that wants to connect.
    enum Answer: Equatable {
        /// A lookup is under way, and no address is known yet.
        case pending
        /// Numeric addresses, in the order in which they are to be tried; `version` is raised when they change.
        case addresses([String], version: Int)
        case failed(CurlError)
    }

    /// AWS's names change their addresses every minute.
    static let freshFor: Int64 = 30_000_000_000
    /// After a failed lookup the next one waits for `failedFor` without known addresses, and for `keptFor` with them.
    static let failedFor: Int64 = 1_000_000_000
    static let keptFor: Int64 = 5_000_000_000

    private var addresses: [String] = []
    private var version = 0
    private var failure: CurlError?
    private var isLookingUp = false
    /// When the last lookup ended, if there was one.
    private var endedAt: Int64?

    /// Asks for the addresses.
    ///
    /// - Returns: the answer, and true if a lookup is to be begun; `ended` must follow it.
    mutating func ask(now: Int64) -> (answer: Answer, begins: Bool) {
        let begins = !isLookingUp && isDue(now)
        if begins { isLookingUp = true }
        if !addresses.isEmpty { return (.addresses(addresses, version: version), begins) }
        if isLookingUp { return (.pending, begins) }
        return (failure.map(Answer.failed) ?? .pending, begins)
    }

    private func isDue(_ now: Int64) -> Bool {
        guard let endedAt else { return true }
        let age = now &- endedAt
        let span = failure == nil ? Self.freshFor : addresses.isEmpty ? Self.failedFor : Self.keptFor
        return age < 0 || age >= span
    }

    mutating func ended(_ result: Result<[String], CurlError>, now: Int64) {
        isLookingUp = false
        endedAt = now
        switch result {
        case .success(let found):
            failure = nil
            if found != addresses { version += 1 }
            addresses = found
        case .failure(let error): failure = error
        }
    }
}
