import Primitives
import Testing

@testable import Telemetry

@Suite("Metrics are rendered in Prometheus text exposition format 0.0.4")
struct ExpositionTests {
    private func text(_ metrics: Metrics) -> String { String(decoding: metrics.render(), as: UTF8.self) }

    @Test("Counters sum their blocks, in the order of their rows")
    func counters() {
        let metrics = Metrics()
        let family = metrics.counters("calls_total", "Calls.", labels: [label("to", "a"), label("to", "b")])
        let first = family.makeBlock()
        let second = family.makeBlock()
        first.add(at: 0)
        second.add(41, at: 0)
        #expect(
            text(metrics)
                == """
                # HELP calls_total Calls.
                # TYPE calls_total counter
                calls_total{to="a"} 42
                calls_total{to="b"} 0

                """)
        #expect(family.value(at: 0) == 42)
    }

    @Test(
        "A label's value is escaped",
        arguments: [
            ("plain", "plain"), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb"), ("\\n", "\\\\n"),
            ("é{},=", "é{},="), ("", ""), ("a\r\nb", "a\r\\nb"), ("\"\u{301}", "\\\"\u{301}"),
        ])
    func labels(_ value: String, _ escaped: String) {
        #expect(Array(label("name", value).utf8) == Array("name=\"\(escaped)\"".utf8))
    }

    @Test("Help escapes backslashes and line feeds")
    func help() {
        let metrics = Metrics()
        _ = metrics.counters("a_total", "one\\two\nthree \"four\"")
        #expect(
            text(metrics) == "# HELP a_total one\\\\two\\nthree \"four\"\n# TYPE a_total counter\na_total 0\n")
    }

    @Test("Histograms are cumulative, with +Inf, sum and count, over several blocks")
    func histograms() {
        let metrics = Metrics()
        let family = metrics.histograms(
            "wait_seconds", "Waits.", bounds: [5_000_000, 100_000_000, 2_000_000_000])
        let first = family.makeBlock()
        let second = family.makeBlock()
        first.observe(0)
        first.observe(5_000_000)
        second.observe(5_000_001)
        second.observe(2_000_000_000, times: 2)
        first.observe(3_000_000_000)
        second.observe(-7)
        #expect(
            text(metrics)
                == """
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.005"} 3
                wait_seconds_bucket{le="0.1"} 4
                wait_seconds_bucket{le="2"} 6
                wait_seconds_bucket{le="+Inf"} 7
                wait_seconds_sum 7.010000001
                wait_seconds_count 7

                """)
    }

    @Test("A histogram's rows have their labels before the bound")
    func labelledHistograms() {
        let metrics = Metrics()
        let family = metrics.histograms("h", "H.", labels: [label("x", "1"), label("x", "2")], bounds: [10], scale: 1)
        family.makeBlock().observe(11, row: 1)
        #expect(
            text(metrics)
                == """
                # HELP h H.
                # TYPE h histogram
                h_bucket{x="1",le="10"} 0
                h_bucket{x="1",le="+Inf"} 0
                h_sum{x="1"} 0
                h_count{x="1"} 0
                h_bucket{x="2",le="10"} 0
                h_bucket{x="2",le="+Inf"} 1
                h_sum{x="2"} 11
                h_count{x="2"} 1

                """)
    }

    @Test("Observed families are read at the scrape, gauges and counters")
    func observed() {
        let metrics = Metrics()
        metrics.observed("state", "State.") {
            [("", 1.5), (label("of", "x"), 2), ("", -0.25), ("", .infinity), ("", -.infinity), ("", .nan)]
        }
        metrics.observed("seen_total", "Seen.", kind: .counter) { [("", 3)] }
        #expect(
            text(metrics)
                == """
                # HELP state State.
                # TYPE state gauge
                state 1.5
                state{of="x"} 2
                state -0.25
                state +Inf
                state -Inf
                state NaN
                # HELP seen_total Seen.
                # TYPE seen_total counter
                seen_total 3

                """)
    }

    @Test("OpenMetrics has counters' families without their ending, one way to write bounds, exemplars, and an end")
    func openMetrics() {
        let metrics = Metrics()
        metrics.counters("calls_total", "Calls \"made\".").makeBlock().add(3, at: 0)
        let block = metrics.histograms("wait_seconds", "Waits.", bounds: [500_000_000, 2_000_000_000]).makeBlock()
        block.observe(1_500_000_000)
        block.exemplify(1_000_000_000, trace: "a1", time: WallInstant(seconds: 7))
        block.exemplify(1_500_000_000, trace: "b2", time: WallInstant(nanoseconds: 8_500_000_000))
        #expect(
            String(decoding: metrics.render(.openMetrics), as: UTF8.self)
                == """
                # HELP calls Calls \\"made\\".
                # TYPE calls counter
                calls_total 3
                # HELP wait_seconds Waits.
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.5"} 0
                wait_seconds_bucket{le="2.0"} 1 # {trace_id="b2"} 1.5 8.5
                wait_seconds_bucket{le="+Inf"} 1
                wait_seconds_sum 1.5
                wait_seconds_count 1
                # EOF

                """)
        #expect(!text(metrics).contains("trace_id"))
    }

    @Test("Nothing registered is an empty page")
    func empty() {
        #expect(Metrics().render().isEmpty)
    }
}
