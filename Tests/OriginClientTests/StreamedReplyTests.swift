import Dispatch
import Foundation
import Primitives
import Streams
import TestSupport
import Testing

@testable import OriginClient

/// An origin that says the parts of a reply when it is told to, over HTTP/1.1 or HTTP/2.
private struct StreamingOrigin {
    enum Version: CaseIterable { case http1, http2 }

    /// What the origin does next.
    enum Part: Sendable {
        case head(Int, [(String, String)] = [])
        case data(String)
        /// Waits until the test lets it go on.
        case gate
        case end
        /// The stream ends before its end, and with HTTP/1.1 the connection.
        case breakOff
    }

    let origin: ScriptedOrigin
    let gate = Gate()
    private let version: Version

    /// Blocks the origin once for each time that it is opened, or for ten seconds.
    struct Gate: Sendable {
        private let semaphore = DispatchSemaphore(value: 0)
        func open() { semaphore.signal() }
        func wait() { _ = semaphore.wait(timeout: .now() + 10) }
    }

    init(_ version: Version, _ parts: [Part]) throws {
        self.version = version
        let gate = gate
        switch version {
        case .http1:
            origin = try ScriptedOrigin { _, _ in .sequence(Self.steps(parts, gate, Self.http1)) }
        case .http2:
            origin = try ScriptedOrigin(
                onAccept: { _ in
                    .http2 { stream, _, _ in .sequence(Self.steps(parts, gate) { Self.http2($0, stream) }) }
                }, script: { _, _ in .close })
        }
    }

    private static func steps(
        _ parts: [Part], _ gate: Gate, _ step: (Part) -> ScriptedOrigin.Step
    ) -> [ScriptedOrigin.Step] {
        parts.map { part in
            if case .gate = part { .run { gate.wait() } } else { step(part) }
        }
    }

    private static func http1(_ part: Part) -> ScriptedOrigin.Step {
        switch part {
        case .head(let status, let fields):
            let lines = fields.map { "\($0.0): \($0.1)\r\n" }.joined()
            return .raw("HTTP/1.1 \(status) OK\r\n\(lines)Transfer-Encoding: chunked\r\n\r\n")
        case .data(let text): return .raw("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
        case .end: return .raw("0\r\n\r\n")
        case .breakOff: return .close
        case .gate: return .stall
        }
    }

    private static func http2(_ part: Part, _ stream: UInt32) -> ScriptedOrigin.Step {
        switch part {
        case .head(let status, _): .bytes(ScriptedFrame.head(status, stream: stream))
        case .data(let text): .bytes(ScriptedFrame.data(text, stream: stream, ends: false))
        case .end: .bytes(ScriptedFrame.data("", stream: stream))
        case .breakOff: .bytes(ScriptedFrame.reset(stream: stream, 2))
        case .gate: .stall
        }
    }

    /// A request for a stream.
    func request(timeout: Int64 = 10_000_000_000, maxReplyBytes: Int = 1000) -> AttemptRequest {
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(
            http2: version == .http2 ? .priorKnowledge : .off, isForStreams: true)
        request.timeout = timeout
        request.maxReplyBytes = maxReplyBytes
        request.streams = StreamRule(unlessField: "x-amzn-requestid")
        return request
    }
}

extension CurlBench {
    /// The reply that begins to be streamed; nil if none does.
    fileprivate func begun() -> BegunReply? {
        _ = pump { !driver.begun.isEmpty || !finished.isEmpty }
        return driver.begun.popLast()
    }

    /// What comes up to this length, or the end.
    fileprivate func text(_ body: PipeReader, count: Int) -> String {
        var text: [UInt8] = []
        _ = pump {
            while text.count < count {
                guard case .part(let part) = body.next() else { return false }
                text += part
            }
            return true
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// How it ends; nil if it does not.
    fileprivate func end(_ body: PipeReader) -> Bool? {
        var end: Bool?
        _ = pump {
            if case .end(let isWhole) = body.next() { end = isWhole }
            return end != nil
        }
        return end
    }
}

@Suite("A reply that is passed on as it comes", .serialized, .timeLimit(.minutes(1)))
struct StreamedReplyTests {
    @Test(
        "begins with its head, and each part can be read before the next has come",
        arguments: StreamingOrigin.Version.allCases)
    private func inOrder(_ version: StreamingOrigin.Version) throws {
        let streaming = try StreamingOrigin(
            version, [.head(200), .gate, .data("first"), .gate, .data("second"), .end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(7, streaming.request())
        let begun = try #require(bench.begun())
        #expect(begun.id == 7)
        #expect(begun.head.status == 200)
        #expect(begun.head.body == [])
        #expect(begun.body.next() == .later)
        streaming.gate.open()
        #expect(bench.text(begun.body, count: 5) == "first")
        #expect(bench.finished.isEmpty)
        streaming.gate.open()
        #expect(bench.text(begun.body, count: 6) == "second")
        #expect(bench.end(begun.body) == true)
        let finished = try #require(bench.finish(1).first)
        #expect(finished.id == 7)
        #expect(throws: Never.self) { try finished.result.get() }
        #expect(bench.driver.begun.isEmpty)
    }

    @Test("may begin and end at once", arguments: StreamingOrigin.Version.allCases)
    private func atOnce(_ version: StreamingOrigin.Version) throws {
        let streaming = try StreamingOrigin(version, [.head(200), .data("all"), .end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        for id in 1...3 as ClosedRange<UInt64> {
            try bench.driver.start(id, streaming.request())
            #expect(bench.finish(1).map(\.id) == [id])
            let begun = try #require(bench.begun())
            #expect(bench.text(begun.body, count: 3) == "all")
            #expect(bench.end(begun.body) == true)
        }
    }

    @Test("has no deadline and no size, once it has begun", arguments: StreamingOrigin.Version.allCases)
    private func unbounded(_ version: StreamingOrigin.Version) throws {
        let parts = Array(repeating: StreamingOrigin.Part.data(String(repeating: "x", count: 1000)), count: 20)
        let streaming = try StreamingOrigin(version, [.head(200), .gate] + parts + [.end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        let timeout: Int64 = 300_000_000
        try bench.driver.start(1, streaming.request(timeout: timeout))
        let begun = try #require(bench.begun())
        let end = MonotonicInstant.now + 2 * timeout
        _ = bench.pump { MonotonicInstant.now > end }
        #expect(bench.finished.isEmpty)
        streaming.gate.open()
        #expect(bench.text(begun.body, count: 20_000).utf8.count == 20_000)
        #expect(bench.end(begun.body) == true)
    }

    @Test("must begin in time", arguments: StreamingOrigin.Version.allCases)
    private func late(_ version: StreamingOrigin.Version) throws {
        let streaming = try StreamingOrigin(version, [.gate, .head(200), .end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(1, streaming.request(timeout: 200_000_000))
        let finished = try #require(bench.finish(1).first)
        #expect(throws: CurlError.timeout) { try finished.result.get() }
        #expect(bench.driver.begun.isEmpty)
        streaming.gate.open()
    }

    @Test("that breaks off is seen to be broken", arguments: StreamingOrigin.Version.allCases)
    private func breaks(_ version: StreamingOrigin.Version) throws {
        let streaming = try StreamingOrigin(version, [.head(200), .data("some"), .gate, .breakOff])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(1, streaming.request())
        let begun = try #require(bench.begun())
        #expect(bench.text(begun.body, count: 4) == "some")
        streaming.gate.open()
        #expect(bench.end(begun.body) == false)
        let finished = try #require(bench.finish(1).first)
        #expect(throws: CurlError.self) { try finished.result.get() }
    }

    @Test("ends at the origin when its reader has gone, or it is cancelled", arguments: [true, false])
    func dropped(cancels: Bool) throws {
        let streaming = try StreamingOrigin(.http1, [.head(200), .data("some"), .gate])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(1, streaming.request())
        var body: PipeReader? = bench.begun()?.body
        #expect(body != nil)
        streaming.gate.open()
        if cancels {
            bench.driver.cancel(1)
            #expect(try bench.end(#require(body)) == false)
        } else {
            body = nil
            #expect(bench.finish(1).map(\.id) == [1])
        }
        #expect(streaming.origin.waitForOpenConnections(atMost: 0))
    }

    @Test("is collected where it is an error, by its status or by the field", arguments: [200, 400, 503])
    func errors(status: Int) throws {
        let fields = status == 200 ? [("X-Amzn-RequestId", "an error's, to this test")] : []
        let streaming = try StreamingOrigin(.http1, [.head(status, fields), .data("{}"), .end])
        defer { streaming.origin.stop() }
        let reply = try CurlBench().send(streaming.request())
        #expect(reply.status == status)
        #expect(reply.body == Array("{}".utf8))
    }

    @Test(
        "holds its origin up while it is not read, within the pipe's capacity",
        arguments: StreamingOrigin.Version.allCases)
    private func heldUp(_ version: StreamingOrigin.Version) throws {
        let size = 16 << 20
        let piece = String(repeating: "0123456789abcdef", count: 1000)
        // A piece at a time, as the origin's script is made of values.
        let parts = Array(repeating: StreamingOrigin.Part.data(piece), count: size / piece.utf8.count)
        let streaming = try StreamingOrigin(version, [.head(200)] + parts + [.end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        try bench.driver.start(1, streaming.request())
        let begun = try #require(bench.begun())
        #expect(bench.pump { begun.body.count > BytePipe.capacity - BytePipe.maxPiece })
        // It stays as it is.
        for _ in 0..<5 { bench.driver.wait(timeout: 1_000_000, finished: &bench.finished) }
        #expect(begun.body.count <= BytePipe.capacity)
        #expect(bench.finished.isEmpty)
        var read = 0
        var isRight = true
        let expected = Array(piece.utf8)
        let isWhole = bench.pump {
            while true {
                #expect(begun.body.count <= BytePipe.capacity)
                switch begun.body.next() {
                case .part(let part):
                    isRight = isRight && part.first == expected[read % expected.count]
                    read += part.count
                case .later: return false
                case .end(let isWhole): return isWhole
                }
            }
        }
        #expect(isWhole)
        #expect(isRight)
        #expect(read == parts.count * piece.utf8.count)
    }

    @Test("over TLS is held up and goes on too, though TLS has read ahead")
    func secured() throws {
        let size = 2 << 20
        let certificate = try OriginCertificate()
        let file = FileManager.default.temporaryDirectory.appending(path: "streamed-\(UUID().uuidString)")
        try Data((0..<size).map { UInt8(truncatingIfNeeded: $0 >> 4) }).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let origin = try OriginProgram.nginx(certificate, location: "root /; try_files \(file.path) =404;")
        defer { origin.stop() }
        var request = AttemptRequest.to(url: "https://localhost:\(origin.port)/")
        request.endpoint = request.endpoint.with(
            http2: .off, caBundle: certificate.certificate, isForStreams: true)
        request.method = .get
        request.streams = StreamRule(unlessField: "x-amzn-errortype")
        let bench = try CurlBench()
        try bench.driver.start(1, request)
        let begun = try #require(bench.begun())
        #expect(bench.pump { begun.body.count > BytePipe.capacity - BytePipe.maxPiece })
        for _ in 0..<5 { bench.driver.wait(timeout: 1_000_000, finished: &bench.finished) }
        var read: [UInt8] = []
        let isWhole = bench.pump {
            while true {
                #expect(begun.body.count <= BytePipe.capacity)
                switch begun.body.next() {
                case .part(let part): read += part
                case .later: return false
                case .end(let isWhole): return isWhole
                }
            }
        }
        #expect(isWhole)
        #expect(read.elementsEqual((0..<size).lazy.map { UInt8(truncatingIfNeeded: $0 >> 4) }))
    }

    @Test("leaves its connection to the next, and those of other requests alone")
    func connections() throws {
        let streaming = try StreamingOrigin(.http1, [.head(200), .data("all"), .end])
        defer { streaming.origin.stop() }
        let bench = try CurlBench()
        for id in 1...3 as ClosedRange<UInt64> {
            try bench.driver.start(id, streaming.request())
            #expect(bench.finish(1).count == 1)
        }
        #expect(streaming.origin.connectionCount == 1)
        var other = streaming.request()
        other.endpoint = other.endpoint.with(isForStreams: false)
        other.streams = nil
        #expect(try bench.send(other).body == Array("all".utf8))
        #expect(streaming.origin.connectionCount == 2)
    }
}
