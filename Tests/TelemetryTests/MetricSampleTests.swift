import Telemetry
import Testing

@Suite("The samples of chosen metrics")
struct MetricSampleTests {
    @Test("are those of a scrape, labels as they were before they were written")
    func labels() {
        let registry = Metrics()
        let odd = "a \"b\\c\nd}, e=\"f\" ü"
        let block = registry.counters("odd_total", "Odd.", labels: ["\(label("one", odd)),\(label("two", ""))", ""])
            .makeBlock()
        block.add(3, at: 0)
        block.add(at: 1)
        registry.observed("other", "Another.") { [("", 1)] }
        #expect(
            registry.samples(of: ["odd_total", "absent"]) == [
                "odd_total": [
                    MetricSample(name: "odd_total", labels: [("one", odd), ("two", "")], value: 3),
                    MetricSample(name: "odd_total", value: 1),
                ]
            ])
    }

    @Test("of a histogram are its buckets, sum and count")
    func histogram() throws {
        let registry = Metrics()
        let block = registry.histograms(
            "time_seconds", "Time.", labels: [label("service", "s")], bounds: [1_000_000_000, 2_500_000_000]
        ).makeBlock()
        block.observe(500_000_000)
        block.observe(2_000_000_000)
        let samples = try #require(registry.samples(of: ["time_seconds"])["time_seconds"])
        #expect(
            samples.map(\.name) == [
                "time_seconds_bucket", "time_seconds_bucket", "time_seconds_bucket", "time_seconds_sum",
                "time_seconds_count",
            ])
        #expect(samples.map(\.value) == [1, 2, 2, 2.5, 2])
        #expect(samples.map { $0["le"] } == ["1", "2.5", "+Inf", "", ""])
        #expect(samples.allSatisfy { $0["service"] == "s" })
    }

    @Test("may be what no JSON has", arguments: [Double.infinity, -.infinity, .nan])
    func infinite(value: Double) throws {
        let registry = Metrics()
        registry.observed("odd", "Odd.") { [("", value)] }
        let read = try #require(registry.samples(of: ["odd"])["odd"]?.first?.value)
        #expect(read == value || (read.isNaN && value.isNaN))
    }
}
