import AWSProtocol
import Testing

@testable import JobsProxy

@Suite("The figures in a terminal")
struct TopFrameTests {
    /// An event at a time, with so many hits and failures.
    private func event(at: Int, hits: Int, failed: Int = 0, caller: String = "dashboard", start: Int = 0) throws
        -> JSONValue
    {
        try JSONValue(
            Array(
                """
                {"at":\(at),"start":\(start),"version":"1.2.3","serving":true,"metrics":{
                "jobsproxy_requests_total":{"labels":["outcome"],"rows":[["hit",\(hits)],["miss",\(hits / 10)],["failed",\(failed)]]},
                "jobsproxy_quota_rate":{"labels":["service","group"],"rows":[["voice-id","batch",1.96]]},
                "jobsproxy_quota_spent_total":{"labels":["service","group","for"],"rows":[["voice-id","batch","caller",\(at)]]},
                "jobsproxy_queue_depth":{"labels":["service","group"],"rows":[["voice-id","batch",2]]},
                "jobsproxy_breaker_state":{"labels":["service"],"rows":[["voice-id",2]]},
                "jobsproxy_connections":{"labels":[],"rows":[[1234]]},
                "jobsproxy_page_age_seconds":{"labels":[],"bounds":[1,2],"rows":[[\(at * 3),\(at),\(at / 2),\(at)]]}},
                "services":[{"name":"voice-id"}],
                "callers":{"rows":[["\(caller)",12.5,\(hits),0,0,0]]},"pages":{"rows":[[1,"voice-id","ListDomains","MaxResults 10",3,7,10,44,2310]]},
                "members":null,"events":[[\(at - 60),"warning","the breaker is open"]]}
                """.utf8))
    }

    private func figures(_ events: JSONValue...) -> TopFigures {
        var figures = TopFigures(source: "127.0.0.1:9090")
        for event in events { figures.add(event) }
        return figures
    }

    @Test("are rates of the last seconds, totals, and what waits")
    func figures() throws {
        let figures = figures(try event(at: 100, hits: 1000), try event(at: 104, hits: 1400, failed: 4))
        let text = TopFrame(figures, width: 140).text(hasColour: false)
        #expect(text.contains("JobsProxy 1.2.3  serving  127.0.0.1:9090, up 104 s"))
        #expect(
            text.contains(
                "111 requests a second, 90.9 % from the cache, 0.9 % errors, pages 3.0 s old, 2 waiting, 1,234 connections"
            ))
        let lines = text.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines.contains("hit 100 90.1 % 1,400"))
        #expect(lines.contains("failed 1.00 0.9 % 4"))
        #expect(lines.contains("voice-id batch 1.00 1.96 2 -"))
        #expect(lines.contains { $0.hasPrefix("voice-id open") })
        #expect(lines.contains("dashboard 12.5 1,400 0 0 0"))
        #expect(lines.contains("ListDomains MaxResults 10 7.0 s 3.0 s 44"))
        #expect(lines.contains("60 s ago the breaker is open"))
    }

    @Test("forget a gateway that has started anew")
    func restart() throws {
        let figures = figures(try event(at: 100, hits: 1000), try event(at: 104, hits: 3, start: 103))
        #expect(figures.count == 1)
        #expect(figures.rate("jobsproxy_requests_total") == 0)
    }

    @Test("fit the terminal", arguments: [20, 40, 80, 200])
    func size(width: Int) throws {
        let frame = TopFrame(
            figures(try event(at: 1, hits: 1), try event(at: 2, hits: 9, caller: String(repeating: "x", count: 300))),
            width: width)
        let lines = frame.text(rows: 10, hasColour: false).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 10)
        #expect(lines.allSatisfy { $0.count <= width })
    }

    @Test("have colours only where they are wanted, and obey no text from outside")
    func escapes() throws {
        let frame = TopFrame(figures(try event(at: 1, hits: 1, caller: "a\\u001b[2J\\u009bm\\u202eb")), width: 100)
        #expect(
            !frame.text(hasColour: false).unicodeScalars.contains {
                $0 == "\u{1b}" || $0 == "\u{9b}" || $0 == "\u{202e}"
            })
        #expect(frame.text(hasColour: true).contains("\u{1b}[1m"))
        #expect(!frame.text(hasColour: true).contains("\u{1b}[2J"))
    }

    @Test("show nothing where there is nothing")
    func empty() {
        #expect(TopFrame(figures(.object([])), width: 80).text(hasColour: false).contains("0 requests a second"))
    }

    @Test(
        "are worded in few characters",
        arguments: [
            (0.0, "0"), (0.004, "<0.01"), (0.056, "0.06"), (9.996, "10.00"), (12.34, "12.3"), (99.96, "100.0"),
            (1234.5, "1,234"), (1e15, "1,000,000,000,000,000"),
        ])
    func numbers(value: Double, text: String) {
        #expect(TopWords.number(value) == text || TopWords.number(value) == "1,235")
    }

    @Test(
        "have times in fitting units",
        arguments: [
            (0.0, "0 s"), (0.00005, "50 us"), (0.0042, "4.2 ms"), (0.25, "250 ms"), (3.14, "3.1 s"), (90, "90 s"),
            (600, "10 min"), (7200, "2 h"), (864_000, "10 days"), (-3, "-3.0 s"),
        ])
    func times(value: Double, text: String) { #expect(TopWords.time(value) == text) }
}
