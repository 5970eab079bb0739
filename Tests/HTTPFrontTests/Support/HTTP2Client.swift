import Foundation
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

@testable import HTTPFront

/// What came on one stream.
struct StreamRecord: Sendable {
    /// The fields of each block, informational answers first.
    var blocks: [[(name: String, value: String)]] = []
    var content: [UInt8] = []
    var hasEnded = false
    var reset: HTTP2ErrorCode?

    var status: Int? { blocks.last.flatMap { block in block.first { $0.name == ":status" } }.flatMap { Int($0.value) } }

    var text: String { HTTPFrontTests.text(content) }

    subscript(name: String) -> [String] { blocks.last?.filter { $0.name == name }.map(\.value) ?? [] }
}

/// A client that speaks HTTP/2, frame by frame.
final class HTTP2Client: @unchecked Sendable {
    // `@unchecked` because: the state is reached only while the condition is locked.

    private let condition = NSCondition()
    private var streams: [HTTP2StreamID: StreamRecord] = [:]
    private var goAways: [(last: HTTP2StreamID, code: HTTP2ErrorCode)] = []
    private var hasEnded = false
    private var channel: (any Channel)?
    private var nextID = HTTP2StreamID(1)

    /// Connects in the clear, or by TLS with the ALPN name `h2`.
    ///
    /// - Parameters:
    ///   - window: how much of each answer the server may send unasked.
    ///   - refills: whether it may send as much again as has been read.
    static func connect(
        port: Int, window: Int = 65_535, refills: Bool = true, configuration: TLSConfiguration? = nil
    ) async throws -> HTTP2Client {
        let client = HTTP2Client()
        let context = try configuration.map { try NIOSSLContext(configuration: $0) }
        client.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context {
                        try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: "localhost"))
                    }
                    var settings = NIOHTTP2Handler.ConnectionConfiguration()
                    settings.initialSettings = [
                        HTTP2Setting(parameter: .enablePush, value: 0),
                        HTTP2Setting(parameter: .initialWindowSize, value: window),
                    ]
                    // What is sent may be wrong.
                    settings.headerBlockValidation = .disabled
                    settings.contentLengthValidation = .disabled
                    try pipeline.addHandler(NIOHTTP2Handler(mode: .client, connectionConfiguration: settings))
                    try pipeline.addHandler(Handler(client, refills: refills))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return client
    }

    // MARK: Sending

    /// Sends the fields of a request, and content that ends it.
    @discardableResult
    func request(
        _ path: String, _ fields: [(String, String)] = [], content: String? = nil, method: String = "GET"
    ) async throws -> HTTP2StreamID {
        let all = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")] + fields
        return try await send(fields: all, content: content)
    }

    /// Sends fields as they are, and content that ends the request; with `ends` false, more may follow.
    @discardableResult
    func send(fields: [(String, String)], content: String? = nil, ends: Bool = true) async throws -> HTTP2StreamID {
        let headers = HPACKHeaders(fields)
        // Under the lock, because streams must be opened in the order of their numbers.
        let (id, sent) = condition.withLock {
            defer { nextID = nextID.advanced(by: 2) }
            let payload = HTTP2Frame.FramePayload.headers(.init(headers: headers, endStream: ends && content == nil))
            return (nextID, channel?.writeAndFlush(HTTP2Frame(streamID: nextID, payload: payload)))
        }
        try await sent?.get()
        if let content { try await send(id, data: content, ends: ends) }
        return id
    }

    func send(_ id: HTTP2StreamID, data: String, ends: Bool) async throws {
        try await send(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes(data))), endStream: ends)))
    }

    func send(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) async throws {
        try await channel?.writeAndFlush(HTTP2Frame(streamID: id, payload: payload))
    }

    /// Sends without waiting until it has left.
    func post(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) {
        channel?.writeAndFlush(HTTP2Frame(streamID: id, payload: payload), promise: nil)
    }

    func setReading(_ reads: Bool) async throws { try await channel?.setOption(.autoRead, value: reads).get() }

    func close() async { try? await channel?.close() }

    // MARK: Receiving

    /// The answer of a stream, as soon as it has ended or was reset.
    func answer(_ id: HTTP2StreamID) async throws -> StreamRecord {
        try await wait("the answer on \(id)") { client in
            let record = client.streams[id]
            return record?.hasEnded == true || record?.reset != nil ? record : nil
        }
    }

    /// What has come on a stream, as soon as it is enough.
    func record(_ id: HTTP2StreamID, until holds: @escaping @Sendable (StreamRecord) -> Bool) async throws
        -> StreamRecord
    {
        try await wait("enough on \(id)") { client in client.streams[id].flatMap { holds($0) ? $0 : nil } }
    }

    /// The first GOAWAY frame.
    func goAway() async throws -> (last: HTTP2StreamID, code: HTTP2ErrorCode) {
        try await wait("the server's leaving") { $0.goAways.first }
    }

    /// All GOAWAY frames, when the server has ended the connection.
    func end() async throws -> [(last: HTTP2StreamID, code: HTTP2ErrorCode)] {
        try await wait("the end of the connection") { $0.hasEnded ? $0.goAways : nil }
    }

    private func wait<Result: Sendable>(
        _ what: String, _ body: @escaping @Sendable (HTTP2Client) -> Result?
    ) async throws -> Result {
        try await Waiting.pool.runIfActive { [self] in
            let limit = Date(timeIntervalSinceNow: Waiting.limit)
            condition.lock()
            defer { condition.unlock() }
            while true {
                if let result = body(self) { return result }
                if hasEnded { throw TestClient.Failure.ended(what) }
                guard condition.wait(until: limit) else { throw Waiting.Expired(what: what) }
            }
        }
    }

    private func change(_ body: () -> Void) {
        condition.withLock {
            body()
            condition.broadcast()
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTP2Frame

        typealias OutboundOut = HTTP2Frame

        private let client: HTTP2Client
        private let refills: Bool

        init(_ client: HTTP2Client, refills: Bool) {
            self.client = client
            self.refills = refills
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let frame = unwrapInboundIn(data)
            if refills, case .data(let payload) = frame.payload, payload.data.readableBytes > 0 {
                let more = HTTP2Frame.FramePayload.windowUpdate(windowSizeIncrement: payload.data.readableBytes)
                for id in payload.endStream ? [.rootStream] : [.rootStream, frame.streamID] {
                    context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: id, payload: more)), promise: nil)
                }
            }
            client.change {
                switch frame.payload {
                case .headers(let payload):
                    let fields = payload.headers.map { (name: $0.name, value: $0.value) }
                    client.streams[frame.streamID, default: StreamRecord()].blocks.append(fields)
                    if payload.endStream { client.streams[frame.streamID]?.hasEnded = true }
                case .data(let payload):
                    if case .byteBuffer(let buffer) = payload.data {
                        client.streams[frame.streamID]?.content += buffer.readableBytesView
                    }
                    if payload.endStream { client.streams[frame.streamID]?.hasEnded = true }
                case .rstStream(let code):
                    client.streams[frame.streamID, default: StreamRecord()].reset = code
                case .goAway(let last, let code, _):
                    client.goAways.append((last, code))
                default: break
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { client.change { client.hasEnded = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}

/// Frames as bytes, for what no client library would send.
enum RawFrame {
    static let preface = bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + frame(type: 4, flags: 0, stream: 0, [])

    static func frame(type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count)
        var frame: [UInt8] = []
        for shift: UInt32 in [16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: length >> shift)) }
        frame += [type, flags]
        for shift: UInt32 in [24, 16, 8, 0] { frame.append(UInt8(truncatingIfNeeded: stream >> shift)) }
        return frame + payload
    }

    /// Fields without compression (RFC 7541, section 6.2.2).
    static func fields(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value -> [UInt8] in
            let start: [UInt8] = [0, UInt8(name.utf8.count)] + Array(name.utf8)
            return start + [UInt8(value.utf8.count)] + Array(value.utf8)
        }
    }

    /// The fields of a request.
    static func get(_ path: String) -> [UInt8] {
        fields([(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a")])
    }
}
