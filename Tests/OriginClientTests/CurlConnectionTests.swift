import Dispatch
import Glibc
import TestSupport
import Testing

@testable import OriginClient
import Primitives

/// Which connections are used, and for how long.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CurlConnectionTests {
    /// What an origin may write after a reply, when nobody has asked for more.
    static let surplus = [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "x", "\r\n", "HTTP/1.1 408 Request Timeout\r\n\r\n",
    ]

    @Test(arguments: surplus)
    func `what comes after a reply is never taken for the next one`(surplus: String) throws {
        let isWritten = Semaphore()
        let origin = try ScriptedOrigin { request, index in
            let reply = ScriptedOrigin.Step.reply(body: "{\"index\":\(index)}")
            return index % 2 == 0 ? .sequence([reply, .raw(surplus), .run { isWritten.signal() }]) : reply
        }
        defer { origin.stop() }
        let bench = try CurlBench()
        for index in 0..<10 {
            #expect(try bench.send(.to(origin)).body == Array("{\"index\":\(index)}".utf8))
            if index % 2 == 0 { #expect(isWritten.wait()) }
        }
        #expect(origin.requests.count == 10, "none was sent twice")
        #expect(origin.connectionCount == 6, "no connection goes on after a surplus")
        #expect(origin.waitForOpenConnections(atMost: 1))
    }

    @Test func `surplus in the same segment as its reply closes the connection too`() throws {
        let origin = try ScriptedOrigin { _, index in
            .raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        }
        defer { origin.stop() }
        let bench = try CurlBench()
        for _ in 0..<5 { #expect(try bench.send(.to(origin)).body == Array("{}".utf8)) }
        #expect(origin.requests.count == 5)
        #expect(origin.connectionCount == 5)
    }

    @Test func `idle connections are closed though nobody asks for anything`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let bench = try CurlBench(idleLimit: 200_000_000)
        for round in 1...2 {
            for id in 0..<UInt64(4) { try bench.driver.start(id, .to(origin)) }
            #expect(bench.finish(4).count == 4)
            let opened = origin.connectionCount
            #expect(origin.openConnectionCount > 0)
            #expect(bench.pump { origin.openConnectionCount == 0 })
            #expect(try bench.send(.to(origin)).status == 200)
            #expect(origin.connectionCount == opened + 1, "round \(round)")
        }
        // The waker works with the new handle too.
        let waker = bench.driver.waker
        #expect(bench.pump { origin.openConnectionCount == 0 })
        startThread { waker.wake() }
        let start = MonotonicInstant.now
        bench.driver.wait(timeout: 30_000_000_000, finished: &bench.finished)
        #expect(MonotonicInstant.now - start < 10_000_000_000)
    }

    @Test func `a busy connection is left alone, however old, while another is made`() throws {
        let isAwaited = DispatchSemaphore(value: 0)
        let origin = try ScriptedOrigin { _, index in
            let reply = ScriptedOrigin.Step.reply(body: "{\"number\":\(index)}")
            return index == 2 ? .sequence([.run { _ = isAwaited.wait(timeout: .now() + 10) }, reply]) : reply
        }
        defer { origin.stop() }
        let bench = try CurlBench()
        let driver = bench.driver
        for id in 0..<UInt64(2) { try driver.start(id, .to(origin)) }
        #expect(bench.finish(2).count == 2)
        // The other is made anew then, and to it what has not been used for a second is old.
        let other = driver.http1Connections[driver.pools[0].idleConnections.removeLast()]
        driver.close(other)
        try other.handle.setIdleLimit(seconds: 0)
        let made = MonotonicInstant.now
        #expect(eventually { MonotonicInstant.now - made > 2_100_000_000 })
        try driver.start(2, .to(origin))
        #expect(bench.pump { origin.requests.count == 3 })
        try driver.start(3, .to(origin))
        #expect(bench.pump { origin.requests.count == 4 })
        isAwaited.signal()
        #expect(bench.pump { bench.finished.count == 2 })
        let replies = bench.finished.sorted { $0.id < $1.id }.map { try? $0.result.get().body }
        #expect(replies == ["{\"number\":2}", "{\"number\":3}"].map { Array($0.utf8) })
        #expect(origin.connectionCount == 3)
    }

    @Test func `an attempt that must not uses no connection that was there`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        defer { origin.stop() }
        let bench = try CurlBench()
        for id in 0..<UInt64(2) { try bench.driver.start(id, .to(origin)) }
        #expect(bench.finish(2).count == 2)
        var request = AttemptRequest.to(origin)
        request.needsFreshConnection = true
        for count in 3...4 {
            #expect(try bench.send(request).status == 200)
            #expect(origin.connectionCount == count)
            #expect(origin.waitForOpenConnections(atMost: 2))
        }
        #expect(try bench.send(.to(origin)).status == 200)
        #expect(origin.connectionCount == 4)
    }

    @Test func `connections in use are not idle`() throws {
        let origin = try ScriptedOrigin { _, index in
            index == 0 ? .trickle(body: "0123456789", bytes: 1, milliseconds: 50) : .reply()
        }
        defer { origin.stop() }
        #expect(try CurlBench(idleLimit: 1_000_000).send(.to(origin)).body.count == 10)
    }

    @Test(arguments: [false, true])
    func `an origin is found at either of its addresses`(isIPv6: Bool) throws {
        let origin = try ScriptedOrigin(isIPv6: isIPv6) { _, _ in .reply() }
        defer { origin.stop() }
        let start = MonotonicInstant.now
        #expect(try CurlBench().send(.to(url: "http://\(TwoFamilies.name):\(origin.port)/")).status == 200)
        #expect(MonotonicInstant.now - start < 3_000_000_000)
    }

    /// RFC 8305, "Happy Eyeballs".
    @Test func `an address that swallows connections holds up nothing for long`() throws {
        let origin = try ScriptedOrigin { _, _ in .reply() }
        let hole = try SwallowingAddress(port: origin.port)
        defer {
            hole.close()
            origin.stop()
        }
        var request = AttemptRequest.to(url: "http://\(TwoFamilies.name):\(origin.port)/")
        request.endpoint = request.endpoint.with(connectTimeout: 5_000_000_000)
        let start = MonotonicInstant.now
        #expect(try CurlBench().send(request).status == 200)
        #expect(MonotonicInstant.now - start < 3_000_000_000)
    }
}

/// An IPv6 address of this machine at which connections are neither accepted nor refused: its queue is full.
private struct SwallowingAddress {
    private var sockets: [Int32] = []

    init(port: UInt16) throws {
        let (listener, _) = try listenOnLoopback(isIPv6: true, backlog: 0, port: port)
        sockets.append(listener)
        var address = sockaddr_in6(
            sin6_family: sa_family_t(AF_INET6), sin6_port: port.bigEndian, sin6_flowinfo: 0,
            sin6_addr: in6addr_loopback,
            sin6_scope_id: 0)
        // One waits in the queue; the others find it full.
        for _ in 0..<4 {
            let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
            sockets.append(descriptor)
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    func close() { for socket in sockets { Glibc.close(socket) } }
}

/// Counts what one thread has done, for another that waits for it.
final class Semaphore: @unchecked Sendable {
    // `@unchecked` because: the C library's semaphores are made to be shared.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    /// Whether it was signalled within ten seconds.
    func wait() -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_sec += 10
        return sem_timedwait(semaphore, &end) == 0
    }
}
