import Glibc
import TestSupport
import Testing

@testable import Redis

@Suite("A client and a faulty server")
struct ClientFaultTests {
    private let observer = Observer()

    /// A client that is up.
    private func client(_ fake: FakeRedis, change: (inout RedisSettings) -> Void = { _ in }) throws -> RedisClient {
        let client = RedisClient.started(try .quick(fake.url, change: change), observer)
        #expect(observer.waitForUp())
        return client
    }

    @Test("replies that come byte by byte are read")
    func bytes() throws {
        let fake = try FakeRedis { peer in
            guard peer.greet() else { return }
            while peer.command() != nil {
                for byte in "*2\r\n$4\r\na\r\nb\r\n:-12\r\n" { peer.send(String(byte)) }
            }
        }
        defer { fake.stop() }
        let client = try client(fake)
        defer { client.close() }
        for _ in 0..<10 {
            #expect(client.call("GET").value == .array([.bulk([97, 13, 10, 98]), .integer(-12)]))
        }
    }

    @Test(
        "whatever is no reply ends the connection, and the next one works",
        arguments: [
            ("hello\r\n", RESPFault.unknownType(0x68)), (":1x\r\n", .malformedNumber), ("$9999999\r\n", .bulkTooLong),
        ])
    func garbage(_ text: String, _ fault: RESPFault) throws {
        let fake = try FakeRedis { peer in
            guard peer.greet(), peer.command() != nil else { return }
            peer.send(peer.number == 0 ? text : "+OK\r\n")
            peer.waitForEnd()
        }
        defer { fake.stop() }
        let client = try client(fake)
        defer { client.close() }
        #expect(client.call("GET").error == .protocolFault(fault))
        #expect(observer.waitForUp(2))
        #expect(client.call("GET").text == "OK")
        #expect(observer.allStates.map(\.isUp) == [true, false, true])
    }

    @Test("a reply that no call has asked for ends the connection")
    func unsolicited() throws {
        let fake = try FakeRedis { peer in
            guard peer.greet() else { return }
            if peer.number == 0 { peer.send("+OK\r\n") }
            peer.waitForEnd()
        }
        defer { fake.stop() }
        let client = try client(fake)
        defer { client.close() }
        #expect(observer.waitForUp(2))
        guard case .down(_, .protocolFault(.unsolicited)) = observer.allStates[1] else {
            Issue.record("\(observer.allStates)")
            return
        }
    }

    @Test("one overdue reply fails all calls and ends the connection; what comes later is not taken for another call's")
    func silence() throws {
        let fake = try FakeRedis { peer in
            guard peer.greet() else { return }
            guard peer.number == 0 else {
                while let words = peer.command() { peer.send("+\(words[1])\r\n") }
                return
            }
            for _ in 0..<3 { _ = peer.command() }
            peer.waitForEnd()
            peer.send("+late\r\n+late\r\n+late\r\n")
        }
        defer { fake.stop() }
        let client = try client(fake)
        defer { client.close() }
        let replies = Observer()
        for timeout in [5_000, 40, 9_000] as [Int64] {
            client.send(RedisCommand(text: "GET", "a"), timeout: timeout * 1_000_000, replies.note)
        }
        #expect(replies.waitForReplies(3))
        #expect(replies.allReplies.map(\.error) == [.timeout, .timeout, .timeout])
        #expect(fake.waitForEnds(1) && observer.waitForUp(2))
        for number in 0..<20 { #expect(client.call("GET", "\(number)").text == "\(number)") }
    }

    @Test("the end of the server's side is the end")
    func halfClose() throws {
        let fake = try FakeRedis { peer in
            guard peer.greet(), peer.command() != nil else { return }
            shutdown(peer.socket, Int32(SHUT_WR))
            peer.waitForEnd()
        }
        defer { fake.stop() }
        let client = try client(fake)
        defer { client.close() }
        guard case .connectionLost = client.call("GET").error else {
            Issue.record("no loss")
            return
        }
        #expect(fake.waitForEnds(1) && observer.waitForUp(2))
    }

    @Test("too many calls, and too many bytes, are refused at once")
    func overload() throws {
        let fake = try FakeRedis { peer in
            if peer.greet() { peer.waitForEnd() }
        }
        defer { fake.stop() }
        let client = try client(fake) { settings in
            settings.maxOutstandingCalls = 3
            settings.maxOutstandingBytes = 1_000
        }
        let replies = Observer()
        // A single command may exceed the bytes.
        client.send(RedisCommand("SET", [[UInt8](repeating: 0, count: 2_000)]), timeout: 5_000_000_000, replies.note)
        #expect(client.call("GET").error == .overloaded)
        client.close()
        #expect(replies.waitForReplies(1) && replies.allReplies[0].error == .closed)

        let second = try self.client(fake) { $0.maxOutstandingCalls = 3 }
        for _ in 0..<3 { second.send(RedisCommand(text: "GET"), timeout: 5_000_000_000, replies.note) }
        #expect(second.call("GET").error == .overloaded)
        second.close()
        #expect(replies.waitForReplies(4))
    }

    @Test("without a connection calls fail at once; a closed client stays closed")
    func lifecycle() throws {
        let (socket, port) = try listenOnLoopback()
        close(socket)
        let client = RedisClient.started(try .quick("redis://127.0.0.1:\(port)"), observer)
        #expect(observer.waitForDown())
        #expect(client.call("GET").error == .notConnected)
        guard case .down(let since, .unreachable(let text)) = client.state else {
            Issue.record("\(client.state)")
            return
        }
        #expect(text.contains("127.0.0.1:\(port)") && text.contains("refused"), "\(text)")
        guard case .down(since, _) = client.state else {
            Issue.record("the time of the loss has changed")
            return
        }
        client.close()
        client.close()
        #expect(client.call("GET").error == .closed)
        #expect(client.waitForReason { $0 == .closed })
        #expect(observer.allStates.count == 1)

        let unstarted = RedisClient(
            try .quick("redis://127.0.0.1:\(port)"), name: "", group: nil, onChange: observer.note)
        #expect(unstarted.state == .connecting && unstarted.call("GET").error == .notConnected)
        unstarted.close()
    }

    @Test("outstanding calls fail when the client is closed or let go, and the server sees the end")
    func closing() throws {
        let fake = try FakeRedis { peer in
            if peer.greet() { peer.waitForEnd() }
        }
        defer { fake.stop() }
        let replies = Observer()
        let first = try client(fake)
        first.send(RedisCommand(text: "GET"), timeout: 60_000_000_000, replies.note)
        first.close()
        #expect(replies.waitForReplies(1) && replies.allReplies[0].error == .closed && fake.waitForEnds(1))
        do {
            let second = RedisClient.started(try .quick(fake.url), observer)
            #expect(observer.waitForUp(2))
            second.send(RedisCommand(text: "GET"), timeout: 60_000_000_000, replies.note)
        }
        #expect(replies.waitForReplies(2) && replies.allReplies[1].error == .closed && fake.waitForEnds(2))
    }

    @Test("a server that accepts and says nothing is down after the time for connecting")
    func silentGreeting() throws {
        let fake = try FakeRedis { $0.waitForEnd() }
        defer { fake.stop() }
        let client = RedisClient.started(try .quick(fake.url) { $0.connectTimeout = 30_000_000 }, observer)
        defer { client.close() }
        #expect(fake.waitForEnds(3))
        #expect(client.waitForReason { "\($0)".contains("no reply in time") })
        #expect(observer.allStates.count == 1)
    }

    @Test("each call is completed once, whatever happens to its connection")
    func once() throws {
        let fake = try FakeRedis { peer in
            guard peer.greet() else { return }
            var generator = SeededGenerator(seed: UInt64(peer.number))
            var left = Int.random(in: 1...400, using: &generator)
            while left > 0, let words = peer.command() {
                peer.send("+\(words[1])\r\n")
                left -= 1
            }
            if Bool.random(using: &generator) { peer.send("+no") }
        }
        defer { fake.stop() }
        let client = try client(fake) { $0.pauses = 0...0 }
        defer { client.close() }
        let tallies = Tallies(count: 20_000)
        onThreads(4) { thread in
            for batch in 0..<500 {
                let replies = Observer()
                for number in (thread * 5_000 + batch * 10)..<(thread * 5_000 + batch * 10 + 10) {
                    client.send(RedisCommand(text: "GET", "\(number)"), timeout: 5_000_000_000) { reply in
                        tallies.note(number, isRight: reply.text == "\(number)" || reply.error != nil)
                        replies.note(reply)
                    }
                }
                _ = replies.waitForReplies(10)
                // Without a connection calls fail at once, and all of them would have before there is another.
                _ = observer.waitForUp(client.counters.losses + 1)
            }
        }
        #expect(tallies.waitForAll())
        #expect(tallies.isEachOnce && tallies.wrong == 0)
        #expect(client.counters.losses > 20)
    }
}

/// How often each of many calls was completed.
private final class Tallies: @unchecked Sendable {
    // `@unchecked` because: the counts are reached only under `monitor`.
    private let monitor = Monitor()
    private var counts: [Int]
    private var total = 0
    private var wrongCount = 0

    init(count: Int) { counts = [Int](repeating: 0, count: count) }

    func note(_ number: Int, isRight: Bool) {
        monitor.change {
            counts[number] += 1
            total += 1
            if !isRight { wrongCount += 1 }
        }
    }

    func waitForAll() -> Bool { monitor.wait(seconds: 20) { total >= counts.count } }
    var isEachOnce: Bool { monitor.change { counts.allSatisfy { $0 == 1 } } }
    var wrong: Int { monitor.change { wrongCount } }
}
