import Foundation
import Telemetry
import TestSupport
import Testing

@testable import JobsProxy

/// A message of an event stream (https://smithy.io/2.0/aws/amazon-eventstream.html): a prelude of two lengths and their checksum, the
/// headers, the payload, and a checksum of all.
enum EventMessage {
    static func event(_ type: String, _ payload: String) -> [UInt8] {
        let headers =
            header(":message-type", "event") + header(":event-type", type)
            + header(":content-type", "application/json")
        let payload = Array(payload.utf8)
        var message = word(16 + headers.count + payload.count) + word(headers.count)
        message += word(checksum(message)) + headers + payload
        return message + word(checksum(message))
    }

    /// A header whose value is a text.
    private static func header(_ name: String, _ value: String) -> [UInt8] {
        var header = [UInt8(name.utf8.count)]
        header += name.utf8
        header += [7, 0, UInt8(value.utf8.count)]
        return header + value.utf8
    }

    private static func word(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// CRC-32 as in gzip (RFC 1952, section 8).
    private static func checksum(_ bytes: [UInt8]) -> Int {
        var crc: UInt32 = 0xffff_ffff
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
        }
        return Int(crc ^ 0xffff_ffff)
    }
}

@Suite("An event stream", .timeLimit(.minutes(2)))
struct EventStreamTests {
    private static let input = "{\"logGroupIdentifiers\":[\"g\"]}"
    private static let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\nx-amzn-RequestId: up-1\r\n"
        + "Transfer-Encoding: chunked\r\n\r\n"

    private static func chunk(_ text: String) -> ScriptedOrigin.Step {
        .raw("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n")
    }

    private static let end = ScriptedOrigin.Step.raw("0\r\n\r\n")

    private static func service(
        _ url: String, timeouts: String = "{connect: 1s, attempt: 2s, call: 5s}", more: String = ""
    ) -> String {
        """
        services: [{catalog: logs, endpoint: "\(url)", timeouts: \(timeouts), credentials: \(TestGateway.credentials),
                    quotas: {start-live-tail: {rate: 10000, burst: 10000}, default: {rate: 10000, burst: 10000}}\(more)}]
        limits: {caller: {rate: 100000, burst: 100000}}
        drain: 1s

        """
    }

    /// Starts an origin that does these steps to `StartLiveTail`, and a gateway in front of it.
    private func withTail(
        _ steps: [ScriptedOrigin.Step], more: String = "",
        timeouts: String = "{connect: 1s, attempt: 2s, call: 5s}", access: String = "off",
        _ body: (ScriptedOrigin, TestGateway) async throws -> Void
    ) async throws {
        try await ScriptedOrigin.run({ request, _ in
            request["x-amz-target"]?.hasSuffix("StartLiveTail") == true ? .sequence(steps) : .reply(body: "{}")
        }) { origin in
            try await TestGateway.run(Self.service(origin.url, timeouts: timeouts, more: more), access: access) {
                try await body(origin, $0)
            }
        }
    }

    private func tail(_ gateway: TestGateway, receiveBuffer: Int32? = nil) throws -> StreamClient {
        let client = try StreamClient(port: gateway.assembly.address.port, receiveBuffer: receiveBuffer)
        client.call("StartLiveTail", Self.input)
        return client
    }

    @Test("is passed on as it comes, counted when it begins, and followed by the answers to later requests")
    func asItComes() async throws {
        let (first, second) = (Latch(), Latch())
        let steps: [ScriptedOrigin.Step] = [
            .raw(Self.head), .run { first.wait() }, Self.chunk("event 1"), .run { second.wait() },
            Self.chunk("event 2"),
            Self.end,
        ]
        try await withTail(steps, access: "all") { origin, gateway in
            let client = try tail(gateway)
            client.call("DescribeDestinations", "{}")
            let head = try await client.text(upTo: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            for field in [
                "Content-Type: application/vnd.amazon.eventstream", "Transfer-Encoding: chunked",
                "x-jobsproxy-upstream-request-id: up-1", "Cache-Status: jobs-proxy; fwd=bypass",
            ] { #expect(head.contains(field + "\r\n"), "\(head)") }
            #expect(head.contains("x-amzn-RequestId: "))
            #expect(!head.contains("Content-Length"))
            let labels = "service=\"logs\",operation=\"StartLiveTail\",caller=\"anonymous\",outcome=\"pass\""
            #expect(try await gateway.metric("jobsproxy_requests_total{\(labels)}") == 1)
            #expect(try await gateway.metric("jobsproxy_streams") == 1)
            let line = "\"operation\":\"StartLiveTail\""
            #expect(
                await eventually {
                    String(decoding: gateway.assembly.accessLog?.buffer.take() ?? [], as: UTF8.self).contains(line)
                })
            first.open()
            #expect(try await client.text(upTo: "1\r\n") == "7\r\nevent 1\r\n")
            second.open()
            #expect(try await client.text(upTo: "0\r\n\r\n") == "7\r\nevent 2\r\n0\r\n\r\n")
            #expect(try await client.text(upTo: "{}").hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(try await eventually { try await gateway.metric("jobsproxy_streams") == 0 })
            #expect(origin.requests.count == 2)
            #expect(try await gateway.metric("jobsproxy_requests_total{\(labels)}") == 1)
        }
    }

    @Test("outlives the times of attempt and call while nothing comes")
    func idle() async throws {
        let steps: [ScriptedOrigin.Step] = [
            .raw(Self.head), Self.chunk("a"), .run { usleep(2_500_000) }, Self.chunk("b"), Self.end,
        ]
        try await withTail(steps, timeouts: "{connect: 500ms, attempt: 700ms, call: 1s}") { origin, gateway in
            let client = try tail(gateway)
            #expect(try await client.text(upTo: "0\r\n\r\n").hasSuffix("1\r\na\r\n1\r\nb\r\n0\r\n\r\n"))
            #expect(origin.requests.count == 1)
        }
    }

    @Test("that breaks off ends without its last chunk, and is not asked for again", arguments: [true, false])
    func breaks(byReset: Bool) async throws {
        try await withTail([.raw(Self.head), Self.chunk("some"), byReset ? .reset : .close]) { origin, gateway in
            let client = try tail(gateway)
            let all = try await client.remainder()
            #expect(all.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(!all.hasSuffix("0\r\n\r\n"))
            #expect(origin.requests.count == 1)
            #expect(try await gateway.metric("jobsproxy_breaker_state{service=\"logs\"}") == 0)
            #expect(try await eventually { try await gateway.metric("jobsproxy_streams") == 0 })
        }
    }

    @Test("ends at the service when the client leaves, though nothing comes")
    func leaves() async throws {
        try await withTail([.raw(Self.head), Self.chunk("some"), .stall]) { origin, gateway in
            let client = try tail(gateway)
            _ = try await client.text(upTo: "some\r\n")
            #expect(origin.openConnectionCount == 1)
            client.close()
            #expect(origin.waitForOpenConnections(atMost: 0))
            #expect(try await eventually { try await gateway.metric("jobsproxy_streams") == 0 })
        }
    }

    @Test("that fails before it begins is asked for again and worded as any other answer")
    func errors() async throws {
        try await ScriptedOrigin.run({ _, index in
            switch index {
            case 0: .reply(status: 500, body: "{\"__type\":\"InternalFailure\"}")
            case 1: .sequence([.raw(Self.head), Self.chunk("well"), Self.end])
            case 2: .reply(status: 400, body: "{\"__type\":\"ResourceNotFoundException\",\"message\":\"none\"}")
            default: .reply(fields: [("x-amzn-ErrorType", "LimitExceededException")], body: "{}")
            }
        }) { origin in
            try await TestGateway.run(Self.service(origin.url)) { gateway in
                let good = try tail(gateway)
                #expect(try await good.text(upTo: "0\r\n\r\n").hasSuffix("4\r\nwell\r\n0\r\n\r\n"))
                #expect(origin.requests.count == 2)
                let none = try tail(gateway)
                #expect(try await none.text(upTo: "}").hasSuffix("\"message\":\"none\"}"))
                let coded = try tail(gateway)
                #expect(try await coded.text(upTo: "\r\n\r\n").contains("x-amzn-ErrorType: LimitExceededException\r\n"))
            }
        }
    }

    @Test("of 64 MiB passes a slow reader whole, whatever maxReplyBytes is, and little of it is held")
    func large() async throws {
        let piece = String(repeating: "0123456789abcdef", count: 4096)
        let size = 64 << 20
        let parts = Array(repeating: Self.chunk(piece), count: size / piece.utf8.count)
        try await withTail([.raw(Self.head)] + parts + [Self.end], more: ", maxReplyBytes: 64KiB") { _, gateway in
            let client = try tail(gateway, receiveBuffer: 16_384)
            _ = try await client.text(upTo: "\r\n\r\n")
            let unsent = "jobsproxy_unsent_bytes"
            #expect(try await eventually { try await gateway.metric(unsent) ?? 0 > 131_072 })
            let isRead = LockedFlag()
            var most = try await gateway.metric(unsent) ?? 0
            async let reading = client.skip(size, isRead)
            while !isRead.value { most = max(most, try await gateway.metric(unsent) ?? 0) }
            #expect(try await reading >= size)
            _ = try await client.text(upTo: "0\r\n\r\n")
            #expect((1...Double(256 << 10 + 64 << 10)).contains(most), "\(most)")
            #expect(try await eventually { try await gateway.metric(unsent) == 0 })
        }
    }

    @Test("ends with the gateway, which does not wait for it beyond its drain")
    func drain() async throws {
        var client: StreamClient?
        try await withTail([.raw(Self.head), Self.chunk("some"), .stall]) { _, gateway in
            client = try tail(gateway)
            _ = try await client?.text(upTo: "some\r\n")
        }
        #expect(try await client?.remainder() == "")
    }

    @Test("has half of a service's connections at the most, and others are answered beside it")
    func places() async throws {
        try await withTail([.raw(Self.head), .stall], more: ", maxConnections: 4") { origin, gateway in
            let open = [try tail(gateway), try tail(gateway)]
            for client in open { _ = try await client.text(upTo: "\r\n\r\n") }
            let third = try tail(gateway)
            let refusal = try await third.text(upTo: "}")
            #expect(refusal.contains("Cache-Status: jobs-proxy; detail=throttled-streams\r\n"))
            #expect(refusal.contains("ThrottlingException"))
            third.call("DescribeDestinations", "{}")
            #expect(try await third.text(upTo: "{}").contains("200 OK"))
            open[0].close()
            #expect(try await eventually { try await gateway.metric("jobsproxy_streams") == 1 })
            let fourth = try tail(gateway)
            #expect(try await fourth.text(upTo: "\r\n\r\n").contains("200 OK"))
            open[1].close()
        }
    }

    /// Event by event: the next is sent only when the client has called another operation.
    private static func eventByEvent(_ latch: Latch) -> @Sendable (ScriptedOrigin.Request, Int) -> ScriptedOrigin.Step {
        { request, _ in
            guard request["x-amz-target"]?.hasSuffix("StartLiveTail") == true else {
                return .sequence([.run { latch.open() }, .reply(body: "{\"destinations\":[]}")])
            }
            func chunk(_ message: [UInt8]) -> [ScriptedOrigin.Step] {
                [.raw("\(String(message.count, radix: 16))\r\n"), .bytes(message), .raw("\r\n")]
            }
            // In awsJson the first message holds what is no event.
            let initial = EventMessage.event("initial-response", "{}")
            let start = EventMessage.event("sessionStart", "{\"sessionId\":\"s-1\",\"logGroupIdentifiers\":[\"g\"]}")
            let update = EventMessage.event(
                "sessionUpdate",
                "{\"sessionMetadata\":{\"sampled\":false},\"sessionResults\":[{\"message\":\"hello\"}]}")
            return .sequence(
                [.raw(head)] + chunk(initial) + chunk(start) + [.run { latch.wait() }] + chunk(update) + [end])
        }
    }

    @Test("is read by boto3, event by event")
    func boto3() async throws {
        let latch = Latch()
        try await ScriptedOrigin.run(Self.eventByEvent(latch)) { origin in
            try await TestGateway.run(Self.service(origin.url)) { gateway in
                let output = try await Python.run("live_tail.py", [gateway.url])
                #expect(output == "sessionStart s-1\nsessionUpdate hello\nend\n", "\(output)")
            }
        }
    }

    @Test("is passed on over HTTP/2 too, event by event, from a service that speaks it as well")
    func http2() async throws {
        let latch = Latch()
        let origin = try ScriptedOrigin(
            onAccept: { connection in
                .http2 { stream, request, _ in
                    // Fields of HTTP/2 requests are not read by the origin.
                    guard request.text.contains("logGroupIdentifiers") else {
                        return .sequence([
                            .run { latch.open() }, .bytes(ScriptedFrame.reply("{\"destinations\":[]}", stream: stream)),
                        ])
                    }
                    return .sequence([
                        .bytes(ScriptedFrame.head(200, stream: stream)),
                        .bytes(ScriptedFrame.data("first", stream: stream, ends: false)),
                        .run { latch.wait() }, .bytes(ScriptedFrame.data("second", stream: stream)),
                    ])
                }
            }, script: { _, _ in .close })
        defer { origin.stop() }
        let service = Self.service(origin.url, more: ", http2: prior-knowledge")
        try await TestGateway.run(service) { gateway in
            let output = try await Python.run("stream_over_http2.py", ["\(gateway.assembly.address.port)"])
            #expect(output == "200\nfirst\nsecond\nend\n", "\(output)")
            #expect(origin.connectionCount == 2)
        }
    }
}
