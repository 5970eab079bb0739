internal import AWSProtocol

/// The last few `now` events of a gateway, and what they come to.
struct TopFigures {
    private(set) var events: [JSONValue] = []
    /// Where they come from.
    let source: String

    /// Rates are those of so many seconds.
    private static let span = 5.0

    init(source: String) { self.source = source }

    mutating func add(_ event: JSONValue) {
        // A gateway that has started anew counts from zero.
        if let last = events.last, last["start"] != event["start"] { events = [] }
        events.append(event)
        while events.count > 2, (events[0].number("at") ?? 0) < (event.number("at") ?? 0) - Self.span {
            events.removeFirst()
        }
    }

    var count: Int { events.count }
    var last: JSONValue { events.last ?? .null }
    private var elapsed: Double { max(0, (last.number("at") ?? 0) - (events.first?.number("at") ?? 0)) }

    /// The rows of a metric: the values of its labels, and its numbers.
    func rows(_ name: String, of event: JSONValue? = nil) -> [(labels: [String], values: [Double])] {
        let table = (event ?? last)["metrics"]?[name]
        let count = table?["labels"]?.array?.count ?? 0
        return (table?["rows"]?.array ?? []).map { row in
            let cells = row.array ?? []
            return (cells.prefix(count).map { $0.string ?? "" }, cells.dropFirst(count).map { $0.double ?? 0 })
        }
    }

    /// A sample; nil if there is none.
    func value(_ name: String, _ labels: String...) -> Double? {
        rows(name).first { $0.labels == labels }?.values.first
    }

    /// What the chosen rows of a counter have risen by in a second.
    func rate(_ name: String, where isChosen: ([String]) -> Bool = { _ in true }) -> Double {
        guard elapsed > 0 else { return 0 }
        return (sum(name, last, isChosen) - sum(name, events[0], isChosen)) / elapsed
    }

    private func sum(_ name: String, _ event: JSONValue, _ isChosen: ([String]) -> Bool) -> Double {
        rows(name, of: event).reduce(0) { isChosen($1.labels) ? $0 + ($1.values.first ?? 0) : $0 }
    }

    /// What a histogram's row has risen by: sum, count, cumulative counts.
    private func rise(_ name: String, _ labels: [String]) -> [Double]? {
        guard let now = rows(name).first(where: { $0.labels == labels })?.values else { return nil }
        guard count > 1, let then = rows(name, of: events[0]).first(where: { $0.labels == labels })?.values else {
            return now
        }
        return zip(now, then).map { $0 - $1 }
    }

    func mean(_ name: String, _ labels: String...) -> Double? {
        guard let rise = rise(name, labels), rise.count > 1, rise[1] > 0 else { return nil }
        return rise[0] / rise[1]
    }

    /// The value below which a part of the observations was, as Prometheus reckons it.
    func quantile(_ part: Double, _ name: String, _ labels: String...) -> Double? {
        guard let rise = rise(name, labels), rise.count > 2, rise[1] > 0,
            let bounds = last["metrics"]?[name]?["bounds"]?.array?.compactMap(\.double)
        else { return nil }
        let wanted = part * rise[1]
        var (low, below) = (0.0, 0.0)
        for (bound, count) in zip(bounds, rise.dropFirst(2)) {
            if count >= wanted {
                return count > below ? low + (bound - low) * (wanted - below) / (count - below) : bound
            }
            (low, below) = (bound, count)
        }
        return bounds.last
    }
}

extension JSONValue {
    /// A number, as a floating-point one; nil for other kinds.
    var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }

    func number(_ name: String) -> Double? { self[name]?.double }
}
