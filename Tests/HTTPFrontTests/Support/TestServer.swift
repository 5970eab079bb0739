import Dispatch
import Locking
import NIOCore
import NIOPosix
import Primitives
import Streams
import Testing

@testable import HTTPFront

/// A server of one event loop on a loopback port of its own.
struct TestServer: Sendable {
    let server: Server<TestResponder>
    let journal: Journal
    let port: Int
    fileprivate let loop: NIOLoopBound<ServerLoop<TestResponder>>

    func connect(from address: String = "127.0.0.1", receiveBuffer: Int32? = nil) async throws -> TestClient {
        try await TestClient.connect(port: port, from: address, receiveBuffer: receiveBuffer)
    }

    /// Connects, sends, and reads one answer.
    func answer(to request: String) async throws -> Answer {
        let client = try await connect()
        try await client.send(request)
        return try await client.answer()
    }

    /// Answers a request that was to be answered later.
    func answer(_ waiter: Waiter, _ content: String) async throws -> Bool {
        let loop = loop
        return try await loop.eventLoop.submit {
            loop.value.answer(waiter) { _, response in TestResponder.write(bytes(content), into: &response) }
        }.get()
    }

    /// Begins a streamed answer to a request that was to be answered later. Its client may have gone.
    func stream(_ waiter: Waiter) async throws -> PipeWriter {
        let loop = loop
        let (writer, reader) = BytePipe.make()
        _ = try await loop.eventLoop.submit {
            loop.value.answer(waiter) { _, response in
                response.start(.ok)
                response.field("Content-Type", "text/event-stream")
                response.stream(reader)
            }
        }.get()
        return writer
    }

    /// Has requests answered together however far apart they arrive; a debug build takes longer for each than little is.
    func answerTogether() async throws {
        let loop = loop
        try await loop.eventLoop.submit { loop.value.batch.pause = .max }.get()
    }

    /// Lets the loop tick once, with a clock that is so many seconds ahead.
    func tick(ahead seconds: Int64) async throws {
        let loop = loop
        try await loop.eventLoop.submit { loop.value.tick(now: Clock.now() + seconds * 1_000_000_000) }.get()
    }

    /// Lets the loop tick again and again, with a clock that is so many seconds ahead, while `body` waits for what comes of it.
    func ticking(ahead seconds: Int64, _ body: () async throws -> Void) async throws {
        let loop = loop
        let ticks = loop.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(5)) { _ in
            loop.value.tick(now: Clock.now() + seconds * 1_000_000_000)
        }
        defer { ticks.cancel() }
        try await body()
    }

    /// Keeps the event loop busy while `body` runs: what is sent meanwhile arrives in one turn.
    func holding(_ body: () async throws -> Void) async throws {
        let end = DispatchSemaphore(value: 0)
        let loop = loop
        await withCheckedContinuation { begun in
            loop.eventLoop.execute {
                begun.resume()
                end.wait()
            }
        }
        defer { end.signal() }
        try await body()
    }

    /// Waits until the loop has begun to drain.
    func draining() async throws {
        let loop = loop
        let end = ContinuousClock.now + .seconds(Waiting.limit)
        while try await !loop.eventLoop.submit({ loop.value.isDraining }).get() {
            guard ContinuousClock.now < end else { throw Waiting.Expired(what: "the drain") }
            await Task.yield()
        }
    }

    /// Waits until no connection is open.
    func empty() async throws {
        let server = server
        try await journal.wait("the end of all connections") { server.limiter.total == 0 }
    }
}

/// 2023-11-14T22:13:20Z.
let testDate = "Tue, 14 Nov 2023 22:13:20 GMT"

/// Runs `body` with a server, and ends the server whatever happens.
func withServer(
    _ change: (inout HTTPLimits) -> Void = { _ in }, tls: TLSSettings? = nil,
    report: @escaping @Sendable (Result<Void, TLSError>) -> Void = { _ in }, descriptor: Int32? = nil,
    _ body: @Sendable (TestServer) async throws -> Void
) async throws {
    var limits = HTTPLimits()
    change(&limits)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let journal = Journal()
    let made = Locked<NIOLoopBound<ServerLoop<TestResponder>>?>(nil)
    let server = try await Server<TestResponder>(
        group: group, limits: limits, wallClock: { WallInstant(seconds: 1_700_000_000) }
    ) { loop in
        let bound = NIOLoopBound(loop, eventLoop: loop.eventLoop)
        made.withLock { $0 = bound }
        return TestResponder(journal: journal, loop: loop)
    }
    let address: SocketAddress?
    if let descriptor {
        address = try await server.listen(descriptor: descriptor, tls: tls)
    } else if let tls {
        address = try await server.listen(host: "127.0.0.1", port: 0, tls: tls, report: report)
    } else {
        address = try await server.listen(host: "127.0.0.1", port: 0)
    }
    let loop = try #require(made.withLock { $0 })
    let result: Result<Void, any Error>
    do {
        try await body(TestServer(server: server, journal: journal, port: #require(address?.port), loop: loop))
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await server.shutDown(timeout: 0)
    try await group.shutdownGracefully()
    try result.get()
}
