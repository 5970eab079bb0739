import Glibc
import Synchronization
import TestSupport
import Testing

@testable import OriginClient

/// What shares a connection shares its end.
@Suite("Attempts over one HTTP/2 connection", .serialized, .timeLimit(.minutes(1)))
struct SharedConnectionTests {
    /// What an origin does to a connection when it has read four requests.
    static let ends: [(name: String, step: @Sendable (UInt32) -> ScriptedOrigin.Step)] = [
        ("reset", { _ in .reset }), ("close", { _ in .close }),
        ("garbage", { _ in .sequence([.raw("HTTP/1.1 200 OK\r\n\r\n"), .close]) }),
    ]

    private static func origin(_ end: @escaping @Sendable (UInt32) -> ScriptedOrigin.Step) throws -> ScriptedOrigin {
        try ScriptedOrigin(
            onAccept: { _ in
                .http2 { stream, _, index in
                    switch index {
                    case 1...3: .sequence([])
                    case 4: end(stream)
                    default: .bytes(ScriptedFrame.reply("{}", stream: stream))
                    }
                }
            }, script: { _, _ in .close })
    }

    @Test("fail as one when it ends, and the next goes over another", arguments: ends.indices)
    func end(index: Int) throws {
        let origin = try Self.origin(Self.ends[index].step)
        defer { origin.stop() }
        let bench = try CurlBench()
        #expect(try bench.send(.clear(origin)).status == 200)
        for id in 0..<UInt64(4) { try bench.driver.start(id, .clear(origin)) }
        let finished = bench.finish(4)
        #expect(finished.count == 4)
        #expect(finished.allSatisfy { if case .failure(let error) = $0.result { error.mayHaveSent } else { false } })
        #expect(Set(finished.map(\.lostConnection)).count == 1, "\(finished.map { ($0.lostConnection, $0.result) })")
        #expect(finished.first?.lostConnection != nil)
        for id in 0..<UInt64(4) { try bench.driver.start(id, .clear(origin)) }
        #expect(bench.finish(4).allSatisfy { (try? $0.result.get())?.status == 200 })
        #expect(origin.connectionCount == 2)
    }

    @Test("of which a GOAWAY leaves some out: those were not looked at, and are told apart from the others")
    func goAway() throws {
        let origin = try Self.origin { stream in
            // The first of the four is answered, the second fails, the others are left out.
            .bytes(
                ScriptedFrame.goAway(last: stream - 4) + ScriptedFrame.reply("{}", stream: stream - 6)
                    + ScriptedFrame.reset(stream: stream - 4, 2))
        }
        defer { origin.stop() }
        let bench = try CurlBench()
        #expect(try bench.send(.clear(origin)).status == 200)
        for id in 0..<UInt64(4) { try bench.driver.start(id, .clear(origin)) }
        let results = Dictionary(uniqueKeysWithValues: bench.finish(4).map { ($0.id, $0.result) })
        #expect((try? results[0]?.get())?.status == 200)
        for id in [UInt64(2), 3] { #expect(results[id] == .failure(.refusedStream)) }
        guard case .failure(let error) = results[1] else {
            Issue.record("the second did not fail")
            return
        }
        #expect(error.mayHaveSent)
    }

    @Test("that leads nowhere are followed by one over another connection")
    func silence() throws {
        let origin = try ScriptedOrigin(
            onAccept: { number in
                .http2 { stream, _, index in
                    number == 0 && index > 0 ? .sequence([]) : .bytes(ScriptedFrame.reply("{}", stream: stream))
                }
            }, script: { _, _ in .close })
        defer { origin.stop() }
        let bench = try CurlBench()
        #expect(try bench.send(.clear(origin)).status == 200)
        var request = AttemptRequest.clear(origin)
        request.timeout = 200_000_000
        #expect(try bench.failure(request) == .timeout)
        #expect(try bench.send(.clear(origin)).status == 200)
        #expect(origin.connectionCount == 2)
    }
}
