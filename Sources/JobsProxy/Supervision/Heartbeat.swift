/// The rounds of questions by which a watchdog sees that every thread that serves is alive. Pure.
///
/// A round begins with a question to each thread, and ends when all have answered. A thread that hangs keeps its round open.
struct Heartbeat {
    private let names: [String]
    private var round = 0
    private var missing: Set<Int> = []

    /// - Parameter names: of the threads.
    init(_ names: [String]) { self.names = names }

    /// Begins a round.
    ///
    /// - Returns: its number, which comes back with the answers.
    mutating func begin() -> Int {
        round += 1
        missing = Set(names.indices)
        return round
    }

    /// A thread has answered. Answers to earlier rounds count for nothing.
    mutating func answer(_ thread: Int, round: Int) {
        if round == self.round { missing.remove(thread) }
    }

    /// True if all have answered.
    var isComplete: Bool { missing.isEmpty }

    /// The threads that have not.
    var silent: [String] { missing.sorted().map { names[$0] } }
}
