import Glibc
import Locking
import NIOCore
import NIOPosix
import Primitives
import Testing

@testable import HTTPFront

/// Keeps an event loop from doing anything until it is released.
private final class Blockade: Sendable {
    private let isReleased = Locked(false)

    init(_ loop: any EventLoop) {
        loop.execute { while !self.isReleased.withLock({ $0 }) { usleep(1000) } }
    }

    func release() { isReleased.withLock { $0 = true } }
}

@Suite("A connection that has been accepted", .timeLimit(.minutes(1)))
struct AcceptRaceTests {
    @Test("is answered, even if the server stops listening before its event loop has heard of it")
    func stop() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let journal = Journal()
        let server = try await Server<TestResponder>(
            group: group, limits: HTTPLimits(), wallClock: { WallInstant(seconds: 1_700_000_000) }
        ) {
            _ in TestResponder(journal: journal)
        }
        let address = try await server.listen(host: "127.0.0.1", port: 0)
        let listener = try #require(server.channels.withLock { $0 }.first)
        let other = try #require(group.makeIterator().first { $0 !== listener.eventLoop })
        let blockade = Blockade(other)
        let result: Result<Void, any Error>
        do {
            // They go to both loops by turns. Two answers mean that three at least have been accepted.
            var clients: [TestClient] = []
            for number in 0..<4 {
                let client = try await TestClient.connect(
                    port: #require(address?.port), from: "127.0.0.1", receiveBuffer: nil)
                try await client.send(get("/\(number)"))
                clients.append(client)
            }
            try await journal.wait("two answers") { journal.answered == 2 }
            async let isComplete = server.shutDown(timeout: 10_000_000_000, grace: 10_000_000_000)
            try await stopped(listener)
            blockade.release()
            for (number, client) in clients.prefix(3).enumerated() {
                #expect(try await client.answer().content == "/\(number):")
            }
            for client in clients { client.close() }
            #expect(await isComplete)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        blockade.release()
        await server.shutDown(timeout: 0)
        try await group.shutdownGracefully()
        try result.get()
    }

    /// Waits until a listener accepts nothing more.
    private func stopped(_ listener: any Channel) async throws {
        let end = ContinuousClock.now + .seconds(Waiting.limit)
        while listener.isActive, try await listener.getOption(.autoRead).get() {
            guard ContinuousClock.now < end else { throw Waiting.Expired(what: "the end of listening") }
            await Task.yield()
        }
    }
}
