import AWSProtocol
import Telemetry
import Testing

@testable import JobsProxy

@Suite("A metric as the operator's page gets it")
struct MetricTableTests {
    private func sample(_ name: String, _ labels: [(String, String)], _ value: Double) -> MetricSample {
        MetricSample(name: name, labels: labels.map { (name: $0.0, value: $0.1) }, value: value)
    }

    private func text(_ table: MetricTable) -> String { String(decoding: table.json.serialized(), as: UTF8.self) }

    @Test("has a row for each set of labels")
    func plain() {
        let table = MetricTable(
            "a", [sample("a", [("x", "1"), ("y", "2")], 3), sample("a", [("x", "1"), ("y", "3")], 0.25)])
        #expect(text(table) == #"{"labels":["x","y"],"rows":[["1","2",3],["1","3",0.25]]}"#)
        #expect(text(MetricTable("a", [sample("a", [], 7)])) == #"{"labels":[],"rows":[[7]]}"#)
    }

    @Test("adds up what differs in labels that are not kept")
    func sums() {
        let samples = [
            sample("a", [("service", "s"), ("operation", "o"), ("result", "ok")], 1),
            sample("a", [("service", "s"), ("operation", "p"), ("result", "ok")], 2),
            sample("a", [("service", "s"), ("operation", "p"), ("result", "timeout")], 4),
        ]
        let table = MetricTable("a", samples, keeping: ["service", "result"])
        #expect(text(table) == #"{"labels":["service","result"],"rows":[["s","ok",3],["s","timeout",4]]}"#)
        #expect(table.sum { $0[1] == "timeout" } == 4)
        #expect(table.sum() == 7)
    }

    @Test("of a histogram has its bounds, and sum, count and buckets by row")
    func histogram() {
        let samples = ["s", "t"].flatMap { service in
            [
                sample("h_bucket", [("service", service), ("le", "0.5")], 1),
                sample("h_bucket", [("service", service), ("le", "1")], 3),
                sample("h_bucket", [("service", service), ("le", "+Inf")], 4),
                sample("h_sum", [("service", service)], 2.5), sample("h_count", [("service", service)], 4),
            ]
        }
        let table = MetricTable("h", samples)
        #expect(
            text(table) == #"{"labels":["service"],"bounds":[0.5,1],"rows":[["s",2.5,4,1,3],["t",2.5,4,1,3]]}"#)
        #expect(table.total == (5, 8))
    }

    @Test("writes what JSON has no number for as null", arguments: [Double.nan, .infinity])
    func odd(value: Double) {
        #expect(text(MetricTable("a", [sample("a", [], value)])) == #"{"labels":[],"rows":[[null]]}"#)
    }
}
