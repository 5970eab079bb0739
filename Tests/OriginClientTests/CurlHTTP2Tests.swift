import TestSupport
import Testing

@testable import OriginClient

/// HTTP/2 with real origins, and with one that misbehaves.
@Suite(.serialized, .timeLimit(.minutes(1))) struct CurlHTTP2Tests {
    private static let count: UInt64 = 1000

    /// Sends a thousand requests at once, each with a body of its own.
    private func sendAll(_ bench: CurlBench, _ request: AttemptRequest) throws -> [UInt64: String] {
        for id in 0..<Self.count {
            var request = request
            request.body = Array("{\"call\":\(id)}".utf8)
            try bench.driver.start(id, request)
        }
        let finished = bench.finish(Int(Self.count))
        #expect(finished.count == Int(Self.count))
        return try Dictionary(
            uniqueKeysWithValues: finished.map { ($0.id, String(decoding: try $0.result.get().body, as: UTF8.self)) })
    }

    @Test func `a thousand calls at once share four connections to an origin that speaks it without asking`() throws {
        let origin = try OriginProgram.nghttpd()
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(url: "http://127.0.0.1:\(origin.port)/")
        request.endpoint = request.endpoint.with(http2: .priorKnowledge)
        for _ in 0..<3 {
            let bodies = try sendAll(bench, request)
            for (id, body) in bodies { #expect(body == "{\"call\":\(id)}") }
        }
        // The first connection is the one that looked whether it serves.
        let connections = Set(origin.output.split(separator: "\n").compactMap { $0.split(separator: "]").first })
            .filter { $0.contains("[id=") }
        #expect((2...5).contains(connections.count), "\(connections)")
    }

    @Test func `a thousand calls at once share four connections to one that agrees to it in the TLS handshake`() throws
    {
        let certificate = try OriginCertificate()
        let origin = try OriginProgram.nginx(certificate)
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.to(url: "https://localhost:\(origin.port)/")
        request.endpoint = request.endpoint.with(caBundle: certificate.certificate)
        var connections: Set<String> = []
        for _ in 0..<3 { connections.formUnion(try sendAll(bench, request).values) }
        #expect((1...4).contains(connections.count), "\(connections)")
        #expect(connections.allSatisfy { $0.hasSuffix("HTTP/2.0\"}") })
    }

    @Test func `it is not spoken if it is off, nor with one that does not offer it`() throws {
        let certificate = try OriginCertificate()
        for (mode, offers) in [(HTTP2Mode.off, true), (.auto, false), (.priorKnowledge, false)] {
            let origin = try OriginProgram.nginx(certificate, http2: offers)
            defer { origin.stop() }
            var request = AttemptRequest.to(url: "https://localhost:\(origin.port)/")
            request.endpoint = request.endpoint.with(caBundle: certificate.certificate)
            request.endpoint = request.endpoint.with(http2: mode)
            let reply = try CurlBench().send(request)
            #expect(String(decoding: reply.body, as: UTF8.self).hasSuffix("HTTP/1.1\"}"))
        }
    }

    @Test func `connections that are gone are opened again`() throws {
        let origin = try ScriptedOrigin(
            onAccept: { _ in
                .http2 { stream, _, index in
                    // Every third request is the last of its connection.
                    let reply = ScriptedFrame.reply("{\"index\":\(index)}", stream: stream)
                    return index % 3 == 2
                        ? .sequence([.bytes(reply + ScriptedFrame.goAway(last: stream)), .close]) : .bytes(reply)
                }
            }, script: { _, _ in .close })
        defer { origin.stop() }
        let bench = try CurlBench()
        for index in 0..<12 {
            #expect(try bench.send(.clear(origin)).body == Array("{\"index\":\(index)}".utf8))
            if index % 3 == 2 { #expect(origin.waitForOpenConnections(atMost: 0)) }
        }
        #expect(origin.requests.count == 12)
    }
}

// MARK: Once and no more

extension CurlHTTP2Tests {
    /// What an origin may do to a stream, and whether the request is known not to have been looked at.
    static let ends: [(name: String, step: @Sendable (UInt32) -> ScriptedOrigin.Step)] = [
        ("refused stream", { .bytes(ScriptedFrame.reset(stream: $0, 7)) }),
        ("reset stream", { .bytes(ScriptedFrame.reset(stream: $0, 2)) }),
        (
            "go away after the stream, and reset",
            { .bytes(ScriptedFrame.goAway(last: $0) + ScriptedFrame.reset(stream: $0, 2)) }
        ),
        ("cancelled stream", { .bytes(ScriptedFrame.reset(stream: $0, 8)) }),
        ("reset in the head", { .bytes(ScriptedFrame.head(200, stream: $0) + ScriptedFrame.reset(stream: $0, 2)) }),
        (
            "reset in the body",
            {
                .bytes(
                    ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data("{\"a\"", stream: $0, ends: false)
                        + ScriptedFrame.reset(stream: $0, 8))
            }
        ),
        ("go away", { _ in .sequence([.bytes(ScriptedFrame.goAway(last: 0)), .close]) }),
        ("go away with an error", { _ in .sequence([.bytes(ScriptedFrame.goAway(last: 0, 2)), .close]) }),
        ("close", { _ in .close }), ("reset", { _ in .reset }),
        (
            "close in the body",
            {
                .sequence([
                    .bytes(ScriptedFrame.head(200, stream: $0) + ScriptedFrame.data("{\"a\"", stream: $0, ends: false)),
                    .close,
                ])
            }
        ),
        ("garbage", { _ in .sequence([.raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), .close]) }),
    ]

    /// By these an origin says that it did not look at the request (RFC 9113 section 8.7).
    static let refusals = ["refused stream", "go away", "go away with an error"]

    @Test(arguments: ends.indices)
    func `a stream that fails is not sent again, be it the connection's first or not`(index: Int) throws {
        let end = Self.ends[index]
        for failing in 0...1 {
            let origin = try ScriptedOrigin(
                onAccept: { _ in
                    .http2 { stream, _, index in
                        index == failing ? end.step(stream) : .bytes(ScriptedFrame.reply("{}", stream: stream))
                    }
                }, script: { _, _ in .close })
            defer { origin.stop() }
            let bench = try CurlBench()
            if failing == 1 { #expect(try bench.send(.clear(origin)).status == 200) }
            let error = try #require(try bench.failure(.clear(origin)), "\(end.name)")
            #expect(error.mayHaveSent != Self.refusals.contains(end.name), "\(end.name): \(error)")
            #expect(!error.isConnectFailure)
            #expect(origin.requests.count == failing + 1, "\(end.name): one for each start")
            #expect(try bench.send(.clear(origin)).body == Array("{}".utf8), "and the driver goes on")
            #expect(origin.requests.count == failing + 2)
        }
    }

    @Test func `an over-long body is given up at once, and the connection serves on`() throws {
        let origin = try ScriptedOrigin(
            onAccept: { _ in
                .http2 { stream, _, index in
                    .bytes(
                        ScriptedFrame.head(200, stream: stream)
                            + ScriptedFrame.data("0123456789+", stream: stream, ends: index > 0))
                }
            }, script: { _, _ in .close })
        defer { origin.stop() }
        let bench = try CurlBench()
        var request = AttemptRequest.clear(origin)
        request.maxReplyBytes = 10
        #expect(try bench.failure(request) == .replyTooLarge)
        request.maxReplyBytes = 11
        #expect(try bench.send(request).body.count == 11)
    }
}

extension AttemptRequest {
    /// To an origin that speaks HTTP/2 without asking.
    static func clear(_ origin: ScriptedOrigin) -> AttemptRequest {
        var request = AttemptRequest.to(origin)
        request.endpoint = request.endpoint.with(http2: .priorKnowledge)
        return request
    }
}
