import AWSProtocol
import Glibc

/// What was measured of all patterns.
struct Figures {
    struct Match {
        let microseconds: Double
        let pattern: String
        let value: [UInt8]
    }

    private var patterns = 0
    private var malformed = 0
    private var unknown = 0
    private var outcomes: [Bool?: Int] = [:]
    /// Of each pattern the slowest match, the slowest first.
    private(set) var slowest: [Match] = []

    mutating func measure(_ text: String, _ values: [[UInt8]]) {
        patterns += 1
        guard let pattern = try? Pattern(text) else {
            malformed += 1
            return
        }
        if pattern.matches(Array("a".utf8)) == nil { unknown += 1 }
        var worst: Match?
        for value in values {
            var (outcome, time) = Self.time(pattern, value)
            // An interrupt is not the matcher's.
            if time > 200 { time = min(time, Self.time(pattern, value).microseconds) }
            outcomes[outcome, default: 0] += 1
            if time > worst?.microseconds ?? 0 { worst = Match(microseconds: time, pattern: text, value: value) }
        }
        if let worst { slowest.append(worst) }
        slowest.sort { $0.microseconds > $1.microseconds }
    }

    /// In microseconds of the thread's processor time.
    private static func time(_ pattern: Pattern, _ value: [UInt8]) -> (outcome: Bool?, microseconds: Double) {
        let start = now()
        let outcome = pattern.matches(value)
        return (outcome, now() - start)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }

    func print() {
        Swift.print(
            "\(patterns) patterns: \(malformed) malformed, \(unknown) in notations that are not known",
            "\(outcomes[true] ?? 0) values match, \(outcomes[false] ?? 0) do not, \(outcomes[nil] ?? 0) cannot be told",
            separator: "\n")
        for match in slowest.prefix(5) {
            let start = String(decoding: match.value.prefix(24), as: UTF8.self)
            Swift.print("\(Int(match.microseconds)) µs: \(match.pattern.prefix(100)) with '\(start)…'")
        }
    }
}
