internal import NIOCore

/// Remembers whether a client has sent anything. It stands before TLS: behind it a connection that never spoke looks like one whose
/// handshake went wrong.
final class FirstByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var hasSeenOne = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasSeenOne = true
        context.fireChannelRead(data)
    }
}
