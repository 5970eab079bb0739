internal import AWSProtocol
internal import RefreshScheduler

struct SimulationReport {
    let load: SimulatedLoad
    var throttles = 0
    /// Calls that were throttled until their SDK gave up.
    var givenUp = 0
    var upstreamCalls = 0
    var upstreamThrottles = 0
    /// The pages that change; empty if none does.
    var bounds: [FreshnessBound.Page] = []
    private var currentAnswers = 0
    /// Answers, and those that were up to date, by the second in which they were served.
    private var currentBySecond: [(answers: Int, current: Int)] = []
    private(set) var answersByCaller: [Int]
    private var ages: [Int64] = []
    /// Ages by the second in which they were served.
    private var agesBySecond: [[Int64]] = []

    init(_ load: SimulatedLoad) {
        self.load = load
        answersByCaller = [Int](repeating: 0, count: load.callers)
    }

    /// - Parameter isCurrent: true if the page has not changed since it was fetched.
    mutating func count(caller: Int, age: Int64, isCurrent: Bool, time: Int64) {
        // The caller that walks is not counted.
        guard caller < answersByCaller.count else { return }
        answersByCaller[caller] += 1
        ages.append(age)
        let second = Int(time / 1_000_000_000)
        while agesBySecond.count <= second {
            agesBySecond.append([])
            currentBySecond.append((0, 0))
        }
        currentBySecond[second].answers += 1
        if isCurrent {
            currentAnswers += 1
            currentBySecond[second].current += 1
        }
        agesBySecond[second].append(age)
    }

    /// The figures by name, in their order; ages are seconds, shares are of an equal part.
    var figures: [(name: String, value: Double)] {
        let sorted = ages.sorted()
        let answers = answersByCaller.reduce(0, +)
        let part = max(1, Double(answers) / Double(max(1, answersByCaller.count)))
        return freshness + [
            ("answered", Double(answers)), ("throttled", Double(throttles)), ("given_up", Double(givenUp)),
            ("upstream_calls", Double(upstreamCalls)), ("upstream_throttles", Double(upstreamThrottles)),
            ("page_age_p50", Self.seconds(sorted, 0.5)), ("page_age_p90", Self.seconds(sorted, 0.9)),
            ("page_age_p99", Self.seconds(sorted, 0.99)), ("page_age_max", Self.seconds(sorted, 1)),
            ("least_share", Double(answersByCaller.min() ?? 0) / part),
            ("greatest_share", Double(answersByCaller.max() ?? 0) / part),
        ]
    }

    /// The share of answers that were up to date, beside what the same quota would bring if all were known of the pages, and beside all
    /// pages in turn; with the ages of those.
    private var freshness: [(name: String, value: Double)] {
        guard let (optimum, turns) = compared else { return [] }
        return [
            ("up_to_date", Double(currentAnswers) / Double(max(1, ages.count))),
            ("up_to_date_optimum", optimum.freshness), ("up_to_date_in_turn", turns.freshness),
            ("optimum_age_p50", optimum.age(0.5)), ("optimum_age_p99", optimum.age(0.99)),
            ("in_turn_age_p50", turns.age(0.5)), ("in_turn_age_p99", turns.age(0.99)),
        ]
    }

    private var compared: (optimum: FreshnessBound, turns: FreshnessBound)? {
        let rate = load.rate - load.foreignRate
        guard !bounds.isEmpty, rate > 0 else { return nil }
        return (FreshnessBound(optimumFor: bounds, rate: rate), FreshnessBound(roundRobin: bounds, rate: rate))
    }

    private static func seconds(_ sorted: [Int64], _ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1e9
    }

    var table: String {
        let width = figures.map(\.name.count).max() ?? 0
        return figures.map { figure in
            let name = figure.name.replacing("_", with: " ")
            return name + String(repeating: " ", count: width + 2 - name.count) + Self.text(figure.value)
        }.joined(separator: "\n")
    }

    var json: String {
        let members = figures.map {
            (name: $0.name, value: $0.value.isFinite ? JSONValue.number(Self.text($0.value)) : .null)
        }
        return String(decoding: JSONValue.object(members).serialized(), as: UTF8.self)
    }

    /// Two decimals where there are any, three of a share.
    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return "never" }
        if value > 0, value < 1 {
            let digits = "\(Int((value * 1000).rounded()))"
            return value > 0.9995 ? "1" : "0." + String(repeating: "0", count: 3 - digits.count) + digits
        }
        if let whole = Int(exactly: value) { return "\(whole)" }
        let hundredths = Int((value * 100).rounded())
        let fraction = hundredths % 100
        return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
    }

    /// The age of pages over time: the median and the 99th percentile of each second.
    var picture: String {
        let medians = agesBySecond.map { Self.seconds($0.sorted(), 0.5) }
        let tails = agesBySecond.map { Self.seconds($0.sorted(), 0.99) }
        let highest = max(1, tails.max() ?? 1)
        func line(_ values: [Double], _ color: String) -> String {
            let points = values.enumerated().map { second, value in
                let x = 60 + 700 * Double(second) / Double(max(1, values.count - 1))
                let y = 260 - 220 * value / highest
                return "\(Self.text(x)),\(Self.text(y))"
            }
            return
                "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\" points=\"\(points.joined(separator: " "))\"/>"
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="800" height="300" font-family="sans-serif" font-size="12">
            <rect width="800" height="300" fill="white"/>
            <path d="M60 40V260H760" fill="none" stroke="#888"/>
            <text x="60" y="25">Age of served pages, seconds: median (blue) and 99th percentile (red)</text>
            <text x="52" y="264" text-anchor="end">0</text>
            <text x="52" y="44" text-anchor="end">\(Self.text(highest))</text>
            <text x="760" y="280" text-anchor="end">\(agesBySecond.count) s</text>
            \(line(medians, "#1f77b4"))
            \(line(tails, "#d62728"))
            \(freshnessPicture)
            </svg>

            """
    }

    /// The share of up-to-date answers over time, in tens of seconds, and what it could be: green, on a scale from 0 to 1 of its own.
    private var freshnessPicture: String {
        guard let (optimum, turns) = compared, !currentBySecond.isEmpty else { return "" }
        func height(_ share: Double) -> String { Self.text(260 - 220 * share) }
        let points = stride(from: 0, to: currentBySecond.count, by: 10).map { second in
            let part = currentBySecond[second..<min(second + 10, currentBySecond.count)]
            let share = Double(part.reduce(0) { $0 + $1.current }) / Double(max(1, part.reduce(0) { $0 + $1.answers }))
            return
                "\(Self.text(60 + 700 * Double(second) / Double(max(1, currentBySecond.count - 1)))),\(height(share))"
        }
        func level(_ share: Double, _ name: String) -> String {
            """
            <path d="M60 \(height(share))H760" stroke="#2ca02c" stroke-dasharray="4 4"/>
            <text x="756" y="\(Self.text(256 - 220 * share))" text-anchor="end" fill="#2ca02c">\(name) \(Self.text(share))</text>
            """
        }
        return """
            <text x="60" y="290">Share of answers that are up to date (green, 0 to 1)</text>
            <polyline fill="none" stroke="#2ca02c" stroke-width="2" points="\(points.joined(separator: " "))"/>
            \(level(optimum.freshness, "optimum"))
            \(level(turns.freshness, "in turn"))
            """
    }
}
