import TestSupport
import Testing

@testable import OriginClient

/// Whether requests may share connections, where some of them speak HTTP/2 and others do not.
@Suite struct SharingTests {
    private func key(_ port: Int32) -> CurlConnections.Key {
        CurlConnections.Key(localPort: port, remoteAddress: "192.0.2.1", remotePort: 443)
    }

    @Test func `a connection is shared once a reply has shown that it can be`() {
        let connections = CurlConnections()
        for _ in 0..<2 { connections.begin() }
        connections.opened(key(1), nil, among: [])
        #expect(connections.use(key(1), mayShare: true) == .unproven(key(1)))
        #expect(connections.isUnproven(key(1)))
        #expect(connections.ended(key(1), .http2, now: 0))
        #expect(!connections.isUnproven(key(1)))
        for _ in 0..<3 { #expect(connections.use(key(1), mayShare: true) == nil) }
        #expect(!connections.ended(key(1), .http2, now: 0))
    }

    @Test func `one that speaks HTTP/1.1 is never shared`() {
        let connections = CurlConnections()
        for _ in 0..<2 { connections.begin() }
        connections.opened(key(1), nil, among: [])
        #expect(connections.ended(key(1), .http1, now: 0))
        #expect(connections.use(key(1), mayShare: true) == nil)
        #expect(connections.use(key(1), mayShare: true) == .occupied)
        #expect(!connections.ended(key(1), nil, now: 0))
        #expect(connections.use(key(1), mayShare: true) == nil)
    }

    @Test func `the only one that there ever was is shared as libcurl sees fit`() {
        let connections = CurlConnections()
        connections.begin()
        connections.opened(key(1), nil, among: [])
        #expect(connections.use(key(1), mayShare: true) == nil)
        // Another may be the one for which HTTP/2 was agreed on.
        connections.begin()
        #expect(connections.use(key(1), mayShare: true) == .unproven(key(1)))
        connections.removeAll()
        #expect(connections.use(key(1), mayShare: true) == .dirty, "nothing is known of it")
    }

    @Test func `HTTP/1.1 is not spoken on one that may have agreed on HTTP/2, nor mixed up by ports`() {
        let connections = CurlConnections()
        connections.opened(key(1), nil, among: [])
        connections.opened(key(2), .http1, among: [])
        connections.opened(key(3), .http2, among: [])
        for port: Int32 in 1...3 { _ = connections.ended(key(port), nil, now: 0) }
        #expect(connections.use(key(1), mayShare: false) == .dirty)
        #expect(connections.use(key(2), mayShare: false) == nil)
        #expect(connections.use(key(3), mayShare: false) == .dirty)
        let other = CurlConnections.Key(localPort: 2, remoteAddress: "192.0.2.2", remotePort: 443)
        #expect(connections.use(other, mayShare: false) == .dirty)
    }

    @Test func `a pool with back-ends of both kinds shares nothing, until all connections are gone`() {
        var pool = OriginPool(AttemptRequest.to(url: "https://origin.invalid/").endpoint, isJoined: false)
        _ = pool.admit(connections: 2)
        func places() -> Int {
            var copy = pool
            var count = 0
            while count < 1000, let place = copy.nextPlace(now: 0) {
                copy.began(place)
                count += 1
            }
            return count
        }
        #expect(places() == 2)
        pool.learn(.http2)
        #expect(places() == 200)
        pool.learn(.http1)
        #expect(places() == 2)
        #expect(pool.speaksHTTP1)
        pool.learn(.http2)
        #expect(places() == 2)
        pool.forgetOrigin()
        pool.learn(.http2)
        #expect(places() == 200)
        pool.hold()
        #expect(places() == 0)
        pool.release()
        #expect(places() == 200)
    }

    /// libcurl would take it for a sign that requests can share all of the origin's connections.
    @Test(arguments: ["HTTP/2 200 OK", "HTTP/2.0 200 OK", "HTTP/2 200 "], [HTTP2Mode.auto, .off])
    func `an origin that only says that it speaks HTTP/2 mixes up nothing`(line: String, mode: HTTP2Mode) throws {
        let origin = try ScriptedOrigin { request, index in
            index == 0 ? .raw("\(line)\r\nContent-Length: 2\r\n\r\n{}") : .reply(body: request.text)
        }
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(http2: mode)
        #expect(try bench.failure(request) == .badReply)
        for id in 0..<UInt64(200) {
            request.body = Array("body \(id)".utf8)
            try bench.driver.start(id, request)
        }
        for attempt in bench.finish(200) {
            #expect(try attempt.result.get().body == Array("body \(attempt.id)".utf8))
        }
        #expect(origin.connectionCount <= 1 + request.endpoint.maxConnections)
    }

    @Test func `an attempt whose time is over before its turn has not been sent, whatever became of the one before`()
        throws
    {
        let origin = try ScriptedOrigin { _, index in index < 2 ? .reply() : .stall }
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(maxConnections: 1)
        // Both slots have been used.
        for id in 3...4 as ClosedRange<UInt64> { try bench.driver.start(id, request) }
        #expect(bench.finish(2).count == 2)
        request.timeout = 400_000_000
        try bench.driver.start(1, request)
        request.timeout = 100_000_000
        try bench.driver.start(2, request)
        for attempt in bench.finish(2) {
            guard case .failure(let error) = attempt.result else {
                Issue.record("answered")
                continue
            }
            #expect(error.isTimeout)
            #expect(error.mayHaveSent == (attempt.id == 1), "\(attempt.id)")
        }
        #expect(origin.requests.count == 3)
    }
}
