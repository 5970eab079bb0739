import NIOCore
import NIOPosix

/// A client with one connection, that writes what it is told and reads answers by their Content-Length.
package struct LoopbackClient: Sendable {
    private let channel: any Channel
    private let reader: NIOLoopBound<ReplyReader>

    package init(host: String, port: Int, group: any EventLoopGroup) async throws {
        try await self.init(Self.bootstrap(group).connect(host: host, port: port).get())
    }

    /// Connects to a Unix socket.
    package init(path: String, group: any EventLoopGroup) async throws {
        try await self.init(Self.bootstrap(group).connect(unixDomainSocketPath: path).get())
    }

    private static func bootstrap(_ group: any EventLoopGroup) -> ClientBootstrap {
        ClientBootstrap(group: group).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ReplyReader()) }
        }
    }

    private init(_ channel: any Channel) async throws {
        self.channel = channel
        reader = try await channel.eventLoop.submit {
            let reader = try channel.pipeline.syncOperations.handler(type: ReplyReader.self)
            return NIOLoopBound(reader, eventLoop: channel.eventLoop)
        }.get()
    }

    /// Sends a request, and waits for its answer.
    package func send(_ request: String) async throws -> HTTPReply { try await send(Array(request.utf8)) }

    package func send(_ request: [UInt8]) async throws -> HTTPReply {
        let promise = channel.eventLoop.makePromise(of: HTTPReply.self)
        channel.eventLoop.execute {
            reader.value.expect(promise)
            channel.writeAndFlush(ByteBuffer(bytes: request), promise: nil)
        }
        return try await promise.futureResult.get()
    }

    package func post(
        _ operation: String?, _ body: String, path: String = "/", method: String = "POST"
    ) async throws -> HTTPReply {
        let target = operation.map { "X-Amz-Target: VoiceID.\($0)\r\n" } ?? ""
        return try await send(
            "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n"
                + "\(target)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }

    package func get(_ path: String) async throws -> HTTPReply {
        try await send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
    }

    /// Closes the connection, unless the server has.
    package func close() async throws {
        do { try await channel.close() } catch ChannelError.alreadyClosed {}
    }
}

package struct HTTPReply: Sendable {
    package let status: Int
    package let fields: [String: String]
    package let body: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}

package struct ConnectionEnded: Error {}

final class ReplyReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var waiting: [EventLoopPromise<HTTPReply>] = []
    private var bytes: [UInt8] = []
    private var hasEnded = false

    func expect(_ promise: EventLoopPromise<HTTPReply>) {
        if hasEnded { promise.fail(ConnectionEnded()) } else { waiting.append(promise) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += unwrapInboundIn(data).readableBytesView
        while let (reply, length) = Self.reply(bytes), !waiting.isEmpty {
            bytes.removeFirst(length)
            waiting.removeFirst().succeed(reply)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        for promise in waiting { promise.fail(ConnectionEnded()) }
        waiting = []
    }

    private static func reply(_ bytes: [UInt8]) -> (HTTPReply, Int)? {
        // A loop: tests with thousands of calls spend their time here.
        var head = 0
        while head + 3 < bytes.count, bytes[head + 3] != 10 || bytes[head + 1] != 10 || bytes[head] != 13 { head += 1 }
        guard head + 3 < bytes.count else { return nil }
        let lines = String(decoding: bytes[..<head], as: UTF8.self).split(separator: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            fields[line[..<colon].lowercased()] = String(value)
        }
        let length = fields["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count >= head + 4 + length else { return nil }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let body = Array(bytes[(head + 4)..<(head + 4 + length)])
        return (HTTPReply(status: status, fields: fields, body: body), head + 4 + length)
    }
}
