import Gateway
import Primitives
import Streams
import Testing

@testable import OriginClient
@testable import Upstream

@Suite("A fetch whose reply is a stream")
struct StreamTests {
    private static let session = ",\"SessionNameOrId\":\"s\""
    private static let lost = CurlError(rawValue: CurlError.receiveFailed.rawValue, mayHaveSent: true)

    /// A service with one operation whose replies are streams, a live read.
    private func fixture(
        failures: Int = 5, kind: Gateway.Operation.Kind = .live, observer: (any WriteObserver)? = nil
    ) throws -> MachineFixture {
        try MachineFixture(failures: failures, observer: observer) { catalog in
            for place in catalog.operations.indices where catalog.operations[place].name == "EvaluateSession" {
                catalog.operations[place].isStream = true
                catalog.operations[place].kind = kind
                if kind == .write { catalog.operations[place].invalidates = [.all] }
            }
        }
    }

    @Test("ends with the head: its client gets the stream, and no time, loss or end of it matters after that")
    func begins() throws {
        let fixture = try fixture()
        let waiter = fixture.ask("EvaluateSession", more: Self.session)
        let stream = try #require(fixture.begin())
        #expect(fixture.word(waiter) == "stream 200")
        #expect(fixture.results == [.ok])
        #expect(fixture.streams == 1)
        #expect(!fixture.isIdle)
        fixture.advance(3600 * second)
        #expect(!stream.writer.isClosed)
        fixture.end(stream.id, .failure(Self.lost), lostConnection: 1)
        #expect(fixture.sent.count == 1)
        #expect(fixture.word(waiter) == "stream 200")
        #expect(fixture.results == [.ok])
        #expect(fixture.streams == 0)
        #expect(fixture.isIdle)
    }

    @Test("is repeated as any other before its head has come")
    func failsBefore() throws {
        let fixture = try fixture()
        let waiter = fixture.ask("EvaluateSession", more: Self.session)
        fixture.reply(500, "InternalServerException")
        fixture.advance(second)
        fixture.fail(.couldNotConnect)
        fixture.advance(second)
        #expect(fixture.sent.count == 3)
        let stream = try #require(fixture.begin())
        #expect(fixture.word(waiter) == "stream 200")
        fixture.end(stream.id, .success(CurlReply(status: 200, body: [])))
        #expect(fixture.isIdle)
    }

    @Test("is a good sign of the service's health when it begins, and no sign when it ends")
    func health() throws {
        let fixture = try fixture(failures: 2)
        for _ in 0..<4 {
            fixture.ask("EvaluateSession", more: Self.session)
            let stream = try #require(fixture.begin())
            fixture.end(stream.id, .failure(Self.lost))
        }
        #expect(fixture.events == [])
    }

    @Test("makes what it writes void before its head is passed on")
    func write() throws {
        let fixture = try fixture(kind: .write)
        let page = fixture.ask()
        fixture.reply(200)
        #expect(fixture.word(page) == "page")
        #expect(fixture.ask() == nil, "it is in the cache")
        fixture.ask("EvaluateSession", more: Self.session)
        _ = try #require(fixture.begin())
        #expect(fixture.ask() != nil, "it is void")
    }

    @Test("has half of the connections at the most, and is refused beyond them until one ends")
    func places() throws {
        let fixture = try fixture()
        var streams: [(writer: PipeWriter, id: UInt64)] = []
        for _ in 0..<4 {
            fixture.ask("EvaluateSession", more: Self.session)
            streams.append(try #require(fixture.begin()))
        }
        let refused = fixture.ask("EvaluateSession", more: Self.session)
        #expect(fixture.word(refused) == "throttled streams")
        #expect(fixture.sent.count == 4)
        let other = fixture.ask("DescribeDomain")
        fixture.reply(200)
        #expect(fixture.word(other) == "page")
        fixture.end(streams[0].id, .success(CurlReply(status: 200, body: [])))
        fixture.ask("EvaluateSession", more: Self.session)
        #expect(fixture.begin() != nil)
    }

    @Test("gives its place back however it ends before its head")
    func placesOfFailures() throws {
        let fixture = try fixture()
        for _ in 0..<6 {
            fixture.ask("EvaluateSession", more: Self.session)
            fixture.reply(400, "ValidationException")
        }
        #expect(fixture.sent.count == 6)
        fixture.ask("EvaluateSession", more: Self.session)
        #expect(fixture.begin() != nil)
    }

    @Test("ends when the gateway does")
    func stop() throws {
        let fixture = try fixture()
        fixture.ask("EvaluateSession", more: Self.session)
        let stream = try #require(fixture.begin())
        fixture.handle(.stop)
        #expect(fixture.cancelled == [stream.id])
        #expect(fixture.isIdle)
        #expect(fixture.streams == 0)
    }

    @Test("is not wanted any more where its client has gone before the head")
    func unwanted() throws {
        let fixture = try fixture()
        fixture.ask("EvaluateSession", more: Self.session)
        let stream = try #require(fixture.begin())
        #expect(!stream.writer.isClosed)
        // The fixture keeps what has arrived; nothing else does.
        fixture.forget()
        #expect(stream.writer.isClosed)
    }
}
