import Primitives
import TestSupport
import Testing

@testable import Tracing

@Suite("traceparent and tracestate (W3C Trace Context)")
struct TraceContextTests {
    private static let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private func read(_ text: String, state: String = "") -> TraceContext? {
        TraceContext(parent: Array(text.utf8).span, state: Array(state.utf8))
    }

    @Test("are read and written")
    func good() throws {
        let context = try #require(read(Self.good))
        #expect(context.trace.text == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(context.span.text == "00f067aa0ba902b7")
        #expect(context.isSampled)
        let text = TraceContext.parent(context.trace, context.span, flags: context.flags)
        #expect(String(decoding: text, as: UTF8.self) == Self.good)
    }

    @Test(
        "of a later version are read as far as they are known",
        arguments: [
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", UInt8(1)),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff-more", 3),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", 0),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-08", 0),
        ])
    func later(_ text: String, _ flags: UInt8) throws { #expect(try #require(read(text)).flags == flags) }

    @Test(
        "that are broken are ignored",
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ])
    func broken(_ text: String) { #expect(read(text) == nil) }

    @Test("A quick look at the flags is never wrong where it says no", arguments: Array("0123456789abcdef"))
    func quickLook(_ digit: Character) throws {
        let text = Array((Self.good.dropLast() + String(digit)).utf8)
        let context = try #require(read(String(decoding: text, as: UTF8.self)))
        let (whole, cut) = (
            TraceContext.maySample(text.span, 0..<text.count), TraceContext.maySample(text.span, 0..<54)
        )
        #expect(whole == context.isSampled)
        #expect(!cut)
    }

    @Test(
        "A list of members is kept, and anything else left out with the rest of the context kept",
        arguments: [
            ("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", true), ("a=1, b=2", true), ("a=1,,b=2", true), ("", true),
            ("a=1\u{1}", false), ("nonsense", false), ("=1", false), ("é=1", false),
        ])
    func state(_ text: String, _ isKept: Bool) throws {
        #expect(try #require(read(Self.good, state: text)).state == (isKept ? Array(text.utf8) : []))
    }

    @Test("More than 32 members, or more than is passed on, are left out")
    func longState() throws {
        func list(_ count: Int) -> String { (0..<count).map { "k\($0)=v" }.joined(separator: ",") }
        #expect(try #require(read(Self.good, state: list(32))).state.isEmpty == false)
        #expect(try #require(read(Self.good, state: list(33))).state.isEmpty)
        #expect(try #require(read(Self.good, state: "k=" + String(repeating: "v", count: 1023))).state.isEmpty)
    }
}

@Suite("The choice of traces")
struct TraceSamplerTests {
    @Test("is that of its share", arguments: [0.01, 0.1, 0.5, 0.9])
    func share(_ share: Double) {
        var random = SeededGenerator(seed: 7)
        var sampler = TraceSampler(share: share, using: &random)
        let count = 100_000
        let chosen = (0..<count).count { _ in sampler.next(using: &random) }
        let deviation = (Double(count) * share * (1 - share)).squareRoot()
        #expect(abs(Double(chosen) - Double(count) * share) < 5 * deviation, "\(chosen)")
    }

    @Test("is none for 0 and all for 1")
    func bounds() {
        var random = SeededGenerator(seed: 7)
        for (share, chosen) in [(0.0, 0), (-1, 0), (1, 1000), (2, 1000)] {
            var sampler = TraceSampler(share: share, using: &random)
            #expect((0..<1000).count { _ in sampler.next(using: &random) } == chosen, "\(share)")
        }
    }

    @Test("A trace that goes on keeps its id and flags, in a span of its own")
    func goesOn() throws {
        var random = SeededGenerator(seed: 1)
        let parent = Array("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".utf8)
        let found = TraceContext(parent: parent.span, state: Array("a=1".utf8))
        let context = try #require(found)
        let trace = RequestTrace(context, records: true, using: &random)
        #expect(trace.isRecorded && trace.trace == context.trace && trace.parent == context.span)
        #expect(trace.span != context.span && trace.state == context.state)
        #expect(!RequestTrace(context, records: false, using: &random).isRecorded)
        let field = String(decoding: trace.parentField(trace.span), as: UTF8.self)
        #expect(field == "00-4bf92f3577b34da6a3ce929d0e0e4736-\(trace.span.text)-01")
        let own = RequestTrace(isSampled: false, using: &random)
        #expect(!own.isRecorded && own.parent == nil && own.flags == TraceContext.random)
    }
}

@Suite("Spans that wait to be exported")
struct SpanBufferTests {
    private func span(_ number: Int) throws -> TraceSpan {
        var random = SeededGenerator(seed: UInt64(number))
        return RequestTrace(isSampled: true, using: &random)
            .root("\(number)", start: WallInstant(seconds: 5), end: WallInstant(seconds: 4))
    }

    @Test("are bounded; what finds no room is counted")
    func bounded() throws {
        let buffer = SpanBuffer()
        for number in 0..<SpanBuffer.capacity + 10 { buffer.append(try span(number)) }
        #expect(buffer.count == SpanBuffer.capacity && buffer.total(.dropped) == 10)
        #expect(buffer.take(3).map(\.name) == ["0", "1", "2"])
        #expect(buffer.take(.max).count == SpanBuffer.capacity - 3)
        #expect(buffer.take(5).isEmpty)
        buffer.append(try span(1))
        #expect(buffer.count == 1 && buffer.total(.dropped) == 10)
    }

    @Test("never end before they begin")
    func order() throws { #expect(try span(1).end == WallInstant(seconds: 5)) }
}
