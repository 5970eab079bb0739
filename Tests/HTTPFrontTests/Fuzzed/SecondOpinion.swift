import NIOCore
import NIOEmbedded
import NIOHTTP1

/// llhttp, by way of NIO: what another reader of HTTP/1.1 makes of one connection's bytes.
final class SecondOpinion {
    /// A request as it was understood. Text is compared as text: what is no UTF-8 is replaced on both sides.
    struct Request: Equatable {
        var method: String
        var target: String
        var isHTTP11: Bool
        var fields: [String]
        var content: [UInt8] = []
        var keepsConnection: Bool
    }

    private let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
    private var open: Request?
    private(set) var requests: [Request] = []

    /// Whether a request has begun and not ended.
    var isInside: Bool { open != nil }

    /// Reads on.
    ///
    /// - Throws: what llhttp has against the bytes.
    func read(_ bytes: ArraySlice<UInt8>) throws {
        try channel.writeInbound(ByteBuffer(bytes: bytes))
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                open = Request(
                    method: head.method.rawValue, target: head.uri, isHTTP11: head.version == .http1_1,
                    fields: head.headers.map { Self.line($0.name, $0.value) }, keepsConnection: head.isKeepAlive)
            case .body(let buffer): open?.content += buffer.readableBytesView
            case .end:
                if let request = open { requests.append(request) }
                open = nil
            }
        }
    }

    func close() { _ = try? channel.finish(acceptAlreadyClosed: true) }

    /// A field as text, without white space around the value.
    static func line(_ name: some StringProtocol, _ value: some StringProtocol) -> String {
        var value = Substring(value).unicodeScalars
        while value.first == " " || value.first == "\t" { value.removeFirst() }
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return "\(name): \(Substring(value))"
    }
}
