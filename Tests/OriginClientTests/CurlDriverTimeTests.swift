import Glibc
import TestSupport
import Testing

@testable import OriginClient

/// Time: every attempt ends in its own, whatever holds it up.
@Suite(.serialized) struct CurlDriverTimeTests {
    static let delays: [(String, ScriptedOrigin.Step)] = [
        ("no reply", .stall), ("head only", .stallAfterHead(body: "{}")),
        ("half a head", .sequence([.raw("HTTP/1.1 200 OK\r\n"), .stall])),
        ("a byte now and then", .trickle(body: String(repeating: "x", count: 10_000), bytes: 1, milliseconds: 20)),
    ]

    @Test(arguments: delays)
    func `a stalled attempt ends when its time is over`(name: String, step: ScriptedOrigin.Step) throws {
        let origin = try ScriptedOrigin { _, _ in step }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.timeout = 200_000_000
        let start = CurlClock.now
        let error = try #require(try CurlBench().failure(request))
        #expect(error.isTimeout)
        #expect(error.mayHaveSent)
        let took = CurlClock.now - start
        #expect(took > 150_000_000 && took < 3_000_000_000, "libcurl's own clock is coarser")
    }

    @Test(arguments: [0, -5, Int64.min])
    func `no time at all is a timeout`(timeout: Int64) throws {
        let origin = try ScriptedOrigin { _, _ in .stall }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.timeout = timeout
        #expect(try CurlBench().failure(request)?.isTimeout == true)
    }

    @Test func `endless time is endless`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        var request = AttemptRequest.to(origin)
        request.timeout = .max
        request.endpoint = request.endpoint.with(connectTimeout: .max)
        #expect(try CurlBench().send(request).status == 200)
    }

    @Test func `waiting for a connection counts, and nothing was sent by then`() throws {
        let origin = try ScriptedOrigin { _, _ in .stall }
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(maxConnections: 1)
        try bench.driver.start(1, request)
        request.timeout = 100_000_000
        for id in 2..<UInt64(50) { try bench.driver.start(id, request) }
        let start = CurlClock.now
        for attempt in bench.finish(48) {
            guard case .failure(let error) = attempt.result else { throw CurlBench.NothingFinished() }
            #expect(error.isTimeout)
            #expect(!error.mayHaveSent)
        }
        #expect(CurlClock.now - start < 3_000_000_000)
        #expect(bench.driver.slotOfID.count == 1)
    }

    @Test func `so does waiting for a connection that another host has taken`() throws {
        let greedy = try ScriptedOrigin { _, _ in .stall }
        let other = try ScriptedOrigin { _, _ in .reply() }
        defer {
            greedy.stop()
            other.stop()
        }
        let bench = try CurlBench(maxConnectionsInAll: 1)
        try bench.driver.start(1, .to(greedy))
        #expect(bench.pump { greedy.requests.count == 1 })
        var request = AttemptRequest.to(other)
        request.timeout = 100_000_000
        try bench.driver.start(2, request)
        let attempt = try #require(bench.finish(1).first)
        #expect(attempt.id == 2)
        #expect(attempt.result == .failure(.timeout))
        bench.driver.cancel(1)
        try bench.driver.start(3, .to(other))
        #expect(try bench.finish(1).first?.result.get().status == 200)
    }

    @Test func `an origin that has no end of things to say holds up neither another nor its own deadline`() throws {
        let chunks = String(repeating: "1;\(String(repeating: "x", count: 1000))\r\nx\r\n", count: 1000)
        let talker = try ScriptedOrigin { _, _ in
            .sequence(
                [.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")]
                    + Array(repeating: .raw(chunks), count: 100_000))
        }
        let other = try ScriptedOrigin { _, _ in .reply() }
        defer {
            talker.stop()
            other.stop()
        }
        let bench = try CurlBench()
        var request = AttemptRequest.to(talker)
        request.timeout = 500_000_000
        let start = CurlClock.now
        try bench.driver.start(1, request)
        #expect(bench.pump { talker.requests.count == 1 })
        try bench.driver.start(2, .to(other))
        let first = try #require(bench.finish(1).first)
        #expect(try first.id == 2 && first.result.get().status == 200)
        #expect(bench.finish(1).first?.result == .failure(.timeout))
        #expect(CurlClock.now - start < 5_000_000_000)
    }

    @Test func `a connection that nobody accepts ends with the connect timeout`() throws {
        let bench = try CurlBench()
        // TEST-NET-1 (RFC 5737): packets to it vanish, or the system knows no way there.
        var request = AttemptRequest.to(url: "http://192.0.2.1/")
        request.endpoint = request.endpoint.with(connectTimeout: 100_000_000)
        let start = CurlClock.now
        let error = try #require(try bench.failure(request))
        #expect(error.isTimeout || error.isConnectFailure)
        #expect(!error.mayHaveSent)
        #expect(CurlClock.now - start < 3_000_000_000)
    }

    @Test func `an unknown name is a connect failure or a timeout, in time`() throws {
        var request = AttemptRequest.to(url: "http://does-not-exist.invalid/")
        request.timeout = 1_000_000_000
        let start = CurlClock.now
        let error = try #require(try CurlBench().failure(request))
        #expect(error == .couldNotResolve || error.isTimeout)
        #expect(!error.mayHaveSent)
        #expect(CurlClock.now - start < 4_000_000_000)
    }
}
