import Glibc
import TestSupport
import Testing

@testable import OriginClient

/// What the driver does when nothing goes wrong. The faults are in `CurlDriverFaultTests`, time in
/// `CurlDriverTimeTests`.
@Suite(.serialized) struct CurlDriverTests {
    @Test func `a page is read`() throws {
        let origin = try ScriptedOrigin { _, _ in
            .reply(
                fields: [("Content-Type", "application/x-amz-json-1.0"), ("X-Amzn-RequestId", "r-1"), ("Server", "s")],
                body: #"{"JobSummaries":[]}"#)
        }
        defer { origin.stop() }
        let reply = try CurlBench().send(.to(origin))
        #expect(reply.status == 200)
        #expect(reply.body == Array(#"{"JobSummaries":[]}"#.utf8))
        #expect(reply.hasDeterminedLength)
        #expect(
            reply.fields == [
                .init(name: "content-type", value: "application/x-amz-json-1.0"),
                .init(name: "x-amzn-requestid", value: "r-1"),
            ])
        #expect(reply["x-amzn-requestid"] == "r-1")
    }

    @Test func `the request holds the given fields, Host and Content-Length, and nothing else`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.fields = [("X-Amz-Target", "VoiceID.ListDomains"), ("X-Empty", ""), ("User-Agent", "jobs-proxy")]
        request.body = Array("{\"a\":\u{0}1}".utf8)
        _ = try CurlBench().send(request)
        let seen = try #require(origin.requests.first)
        #expect(seen.method == "POST")
        #expect(seen.target == "/")
        #expect(seen.body == request.body)
        #expect(seen["X-Amz-Target"] == "VoiceID.ListDomains")
        #expect(seen["Content-Length"] == "8")
        #expect(
            seen.fields.map(\.name).sorted() == ["Content-Length", "Host", "User-Agent", "X-Amz-Target", "X-Empty"])
    }

    @Test func `fields about framing are left out`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.fields = [
            ("content-length", "1"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
            ("Expect", "100-continue"),
        ]
        _ = try CurlBench().send(request)
        let seen = try #require(origin.requests.first)
        #expect(seen.body == request.body)
        #expect(seen.fields.map(\.name).sorted() == ["Content-Length", "Host"])
    }

    @Test(arguments: [0, 1, 100_000, 3_000_000])
    func `a body of any size arrives whole, both ways`(size: Int) throws {
        let origin = try ScriptedOrigin { request, _ in .reply(body: request.text) }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.body = (0..<size).map { UInt8(97 + $0 % 26) }
        let bench = try CurlBench()
        for _ in 0..<2 {
            #expect(try bench.send(request).body == request.body)
        }
        #expect(origin.requests.allSatisfy { $0["Expect"] == nil })
    }

    @Test func `attempts one after the other share a connection`() throws {
        let origin = try ScriptedOrigin { _, index in .reply(body: "\(index)") }
        defer { origin.stop() }
        let bench = try CurlBench()
        for index in 0..<20 {
            #expect(try bench.send(.to(origin)).body == Array("\(index)".utf8))
        }
        #expect(origin.connectionCount == 1)
    }

    @Test func `interim replies and what they say are ignored`() throws {
        let interim = "HTTP/1.1 100 Continue\r\n\r\n"
        let hints = "HTTP/1.1 103 Early Hints\r\nDate: today\r\nContent-Length: 5\r\n\r\n"
        let origin = try ScriptedOrigin { _, _ in .sequence([.raw(interim + hints), .reply(body: "{}")]) }
        defer { origin.stop() }
        let reply = try CurlBench().send(.to(origin))
        #expect(reply.status == 200)
        #expect(reply.fields == [])
    }

    @Test func `trailers are ignored`() throws {
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n{}\r\n0\r\n"
        let trailers = "Retry-After: 9\r\nContent-Length: 5\r\nX-Status: 500\r\n\r\n"
        let origin = try ScriptedOrigin { _, _ in .raw(text + trailers) }
        defer { origin.stop() }
        let reply = try CurlBench().send(.to(origin))
        #expect(reply == CurlReply(status: 200, fields: [], body: Array("{}".utf8), hasDeterminedLength: true))
    }

    @Test func `a redirect is a reply like another`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply(status: 307, fields: [("Location", "/elsewhere")]) }
        defer { origin.stop() }
        #expect(try CurlBench().send(.to(origin)).status == 307)
        #expect(origin.requests.count == 1)
    }

    @Test func `a proxy is used if it is given`() throws {
        let proxy = try ScriptedOrigin { _, _ in .reply(body: "through") }
        defer { proxy.stop() }
        var request = AttemptRequest.to(proxy)
        request.endpoint = request.endpoint.with(url: "http://origin.invalid/")
        request.endpoint = request.endpoint.with(proxy: proxy.url)
        #expect(try CurlBench().send(request).body == Array("through".utf8))
        #expect(proxy.requests.first?.target == "http://origin.invalid/")
    }
}

// MARK: Many at once

extension CurlDriverTests {
    @Test func `two hundred attempts over eight connections all finish`() throws {
        let origin = try ScriptedOrigin { request, _ in .reply(body: request.text) }
        defer { origin.stop() }
        let bench = try CurlBench()
        for id in 0..<UInt64(200) {
            var request = AttemptRequest.to(origin)
            request.endpoint = request.endpoint.with(maxConnections: 8)
            request.body = Array("body \(id)".utf8)
            try bench.driver.start(id, request)
        }
        #expect(bench.driver.slotOfID.count == 200)
        let finished = bench.finish(200)
        #expect(Set(finished.map(\.id)) == Set(0..<200))
        for attempt in finished {
            #expect(try attempt.result.get().body == Array("body \(attempt.id)".utf8))
        }
        #expect(bench.driver.slotOfID.count == 0)
        #expect(origin.connectionCount <= 8)
    }

    @Test func `each endpoint has its own bound`() throws {
        let narrow = try ScriptedOrigin { _, _ in .reply() }
        let wide = try ScriptedOrigin { _, _ in .stall }
        defer {
            narrow.stop()
            wide.stop()
        }
        let bench = try CurlBench()
        for id in 0..<UInt64(6) {
            try bench.driver.start(id, .to(wide))
        }
        for id in 100..<UInt64(120) {
            var request = AttemptRequest.to(narrow)
            request.endpoint = request.endpoint.with(maxConnections: 1)
            try bench.driver.start(id, request)
        }
        #expect(Set(bench.finish(20).map(\.id)) == Set(100..<120))
        #expect(narrow.connectionCount == 1)
        #expect(bench.pump { wide.connectionCount == 4 })
    }

    @Test func `idle connections of one endpoint keep no other from the same host`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        for mode in [HTTP2Mode.auto, .off, .auto] {
            var request = AttemptRequest.to(origin)
            request.endpoint = request.endpoint.with(http2: mode, maxConnections: 1)
            request.timeout = 3_000_000_000
            #expect(try bench.send(request).status == 200)
        }
        #expect(origin.connectionCount == 2)
    }

    @Test func `an identity in flight is refused and afterwards free again`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(7, .to(origin))
        #expect(throws: CurlError.duplicateID) { try bench.driver.start(7, .to(origin)) }
        #expect(bench.finish(1).count == 1)
        try bench.driver.start(7, .to(origin))
        #expect(bench.finish(1).count == 1)
    }
}

// MARK: Cancelling and the end

extension CurlDriverTests {
    @Test func `a cancelled attempt is dropped, whether it runs or waits`() throws {
        let origin = try ScriptedOrigin { request, _ in request.text == "stall" ? .stall : .reply(body: request.text) }
        defer { origin.stop() }
        let bench = try CurlBench()
        for (id, body) in [(UInt64(1), "stall"), (2, "waits"), (3, "stays")] {
            var request = AttemptRequest.to(origin)
            request.endpoint = request.endpoint.with(maxConnections: 1)
            request.body = Array(body.utf8)
            try bench.driver.start(id, request)
        }
        #expect(bench.pump { origin.requests.count == 1 })
        bench.driver.cancel(2)
        bench.driver.cancel(1)
        bench.driver.cancel(99)
        #expect(bench.driver.slotOfID.count == 1)
        let start = CurlClock.now
        while bench.finished.isEmpty, CurlClock.now - start < 10_000_000_000 {
            bench.driver.wait(timeout: 60_000_000_000, finished: &bench.finished)
        }
        #expect(CurlClock.now - start < 5_000_000_000, "the place that became free is taken at once")
        #expect(bench.finished.map(\.id) == [3])
        #expect(origin.requests.map(\.text) == ["stall", "stays"])
    }

    @Test func `a driver that goes closes its connections and frees its descriptors`() throws {
        let origin = try ScriptedOrigin { request, _ in request.text == "stall" ? .stall : .reply() }
        defer { origin.stop() }
        let before = openDescriptors()
        for _ in 0..<50 {
            let bench = try CurlBench()
            _ = try bench.send(.to(origin))
            var request = AttemptRequest.to(origin)
            request.body = Array("stall".utf8)
            for id in 10..<UInt64(16) { try bench.driver.start(id, request) }
            bench.driver.wait(timeout: 0, finished: &bench.finished)
        }
        #expect(origin.waitForOpenConnections(atMost: 0))
        // Other suites run meanwhile and open their own; a leak here would be of hundreds.
        #expect(eventually { openDescriptors() <= before + 40 })
    }

    @Test func `a wake-up from another thread ends a wait, or the next one`() throws {
        let bench = try CurlBench()
        let waker = bench.driver.waker
        startThread { waker.wake() }
        let start = CurlClock.now
        bench.driver.wait(timeout: 30_000_000_000, finished: &bench.finished)
        #expect(CurlClock.now - start < 10_000_000_000)
        #expect(bench.finished.isEmpty)
    }

    @Test func `a wake-up after the driver's end does nothing`() throws {
        var bench: CurlBench? = try CurlBench()
        let waker = try #require(bench?.driver.waker)
        bench = nil
        waker.wake()
    }
}
