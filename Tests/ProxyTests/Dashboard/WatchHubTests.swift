import Locking
import NIOCore
import NIOEmbedded
import Streams
import Testing

@testable import GatewayFront

@Suite("Those who watch the gateway")
struct WatchHubTests {
    private final class Counts: Sendable {
        let renderings = Locked(0)
        var number: Int { renderings.withLock { $0 } }
    }

    private let loop = EmbeddedEventLoop()
    private let counts = Counts()

    private func hub(event: [UInt8] = Array("{}".utf8)) -> WatchHub {
        let source = WatchHub.Source(history: { Array("[]".utf8) }) { [counts] _ in
            counts.renderings.withLock { $0 += 1 }
            return event
        }
        return WatchHub(source) { $0() }
    }

    private func pass(_ periods: Int64) { loop.advanceTime(by: .nanoseconds(WatchHub.period * periods)) }

    private func text(_ reader: PipeReader) -> String {
        var bytes: [UInt8] = []
        while case .part(let part) = reader.next() { bytes += part }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("get the time before at once, and an event each period")
    func events() throws {
        let hub = hub()
        let reader = try #require(hub.join(on: loop))
        #expect(text(reader) == "event: history\ndata: []\n\nevent: now\ndata: {}\n\n")
        pass(3)
        #expect(text(reader) == "event: now\ndata: {}\n\n" + "event: now\ndata: {}\n\n" + "event: now\ndata: {}\n\n")
    }

    @Test("share one rendering")
    func once() throws {
        let hub = hub()
        let readers = try (0..<10).map { _ in try #require(hub.join(on: loop)) }
        let before = counts.number
        pass(5)
        #expect(counts.number == before + 5)
        for reader in readers { #expect(text(reader).ranges(of: "event: now").count == 6) }
    }

    @Test("cost nothing once they have gone, nor before they come")
    func idle() throws {
        let hub = hub()
        pass(10)
        #expect(counts.number == 0)
        let reader = try #require(hub.join(on: loop))
        pass(2)
        reader.close()
        pass(1)
        let before = counts.number
        pass(100)
        #expect(counts.number == before)
        #expect(hub.count == 0)
        // And they may come again.
        let other = try #require(hub.join(on: loop))
        _ = text(other)
        pass(2)
        #expect(text(other).ranges(of: "event: now").count == 2)
    }

    @Test("are sixteen at the most, and one that goes makes room")
    func most() throws {
        let hub = hub()
        let readers = try (0..<WatchHub.maxWatchers).map { _ in try #require(hub.join(on: loop)) }
        #expect(hub.join(on: loop) == nil)
        readers[3].close()
        let next = hub.join(on: loop)
        #expect(next != nil)
        #expect(hub.join(on: loop) == nil)
        withExtendedLifetime((readers, next)) {}
    }

    @Test("are let go together, and may come again")
    func dropped() throws {
        let hub = hub()
        let readers = try (0..<3).map { _ in try #require(hub.join(on: loop)) }
        hub.dropAll()
        for reader in readers {
            while case .part = reader.next() {}
            #expect(reader.next() == .end(isWhole: false))
        }
        let other = try #require(hub.join(on: loop))
        _ = text(other)
        pass(2)
        #expect(text(other).ranges(of: "event: now").count == 2)
    }

    @Test("are dropped when they do not read, and hold no more than a pipe does")
    func slow() throws {
        let hub = hub(event: [UInt8](repeating: UInt8(ascii: "1"), count: 20_000))
        let (slow, quick) = (try #require(hub.join(on: loop)), try #require(hub.join(on: loop)))
        for _ in 0..<40 {
            pass(1)
            _ = text(quick)
            #expect(slow.count <= BytePipe.capacity)
        }
        #expect(hub.count == 1)
        while case .part = slow.next() {}
        #expect(slow.next() == .end(isWhole: false))
    }
}
