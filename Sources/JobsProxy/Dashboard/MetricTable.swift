internal import AWSProtocol
internal import Telemetry

/// A metric as the operator's page gets it: `{"labels": […], "rows": [[…, value], …]}`, each row with the values of its labels first.
/// A histogram has the `bounds` of its buckets too, and in each row sum, count and the cumulative counts in the place of the value.
struct MetricTable: Equatable {
    private(set) var labels: [String] = []
    private(set) var bounds: [Double]?
    private(set) var rows: [(labels: [String], values: [Double])] = []

    /// - Parameters:
    ///   - name: the metric's name.
    ///   - samples: of that metric alone, in the order in which they are rendered.
    ///   - kept: the labels that are kept, in order; rows that differ in others alone are added up. Nil keeps all.
    init(_ name: String, _ samples: [MetricSample], keeping kept: [String]? = nil) {
        labels = kept ?? (samples.first?.labels.map(\.name) ?? []).filter { !$0.utf8.elementsEqual("le".utf8) }
        let isHistogram = samples.contains { $0.name.utf8.elementsEqual("\(name)_bucket".utf8) }
        var places: [[String]: Int] = [:]
        for sample in samples {
            let key = labels.map { sample[$0] }
            let place = places[key] ?? rows.count
            if place == rows.count {
                places[key] = place
                rows.append((key, isHistogram ? [0, 0] : [0]))
            }
            if !isHistogram {
                rows[place].values[0] += sample.value
            } else if sample.name.hasSuffix("_sum") {
                rows[place].values[0] = sample.value
            } else if sample.name.hasSuffix("_count") {
                rows[place].values[1] = sample.value
            } else if let bound = Double(sample["le"]), bound.isFinite {
                rows[place].values.append(sample.value)
                if place == 0 { bounds = (bounds ?? []) + [bound] }
            }
        }
    }

    init(labels: [String], rows: [(labels: [String], values: [Double])]) {
        (self.labels, self.rows) = (labels, rows)
    }

    static func == (left: Self, right: Self) -> Bool {
        left.labels == right.labels && left.bounds == right.bounds && left.rows.elementsEqual(right.rows, by: ==)
    }

    /// The sum of the values of the rows for which `isChosen` holds.
    ///
    /// - Parameter isChosen: gets the values of the labels.
    func sum(where isChosen: ([String]) -> Bool = { _ in true }) -> Double {
        rows.reduce(0) { isChosen($1.labels) ? $0 + ($1.values.first ?? 0) : $0 }
    }

    /// A histogram's sum and count, over all rows.
    var total: (sum: Double, count: Double) {
        rows.reduce((0, 0)) { ($0.0 + ($1.values.first ?? 0), $0.1 + ($1.values.dropFirst().first ?? 0)) }
    }

    /// The rows for which `isChosen` holds.
    func filtered(_ isChosen: ([String]) -> Bool) -> MetricTable {
        var table = self
        table.rows = rows.filter { isChosen($0.labels) }
        return table
    }

    var json: JSONValue {
        var members: [(name: String, value: JSONValue)] = [("labels", .array(labels.map(JSONValue.string)))]
        if let bounds { members.append(("bounds", .array(bounds.map { .decimal($0, digits: 9) }))) }
        let rows = rows.map { row in
            JSONValue.array(row.labels.map(JSONValue.string) + row.values.map { .decimal($0, digits: 6) })
        }
        return .object(members + [("rows", .array(rows))])
    }
}

extension JSONValue {
    /// A number with so many decimals at most; `null` for those that JSON does not have.
    static func decimal(_ value: Double, digits: Int = 3) -> JSONValue {
        guard value.isFinite else { return .null }
        if let whole = Int64(exactly: value) { return .integer(whole) }
        guard abs(value) < 1e9 else { return .number("\(value)") }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = (value * scale).rounded() / scale
        return Int64(exactly: rounded).map(JSONValue.integer) ?? .number("\(rounded)")
    }
}
