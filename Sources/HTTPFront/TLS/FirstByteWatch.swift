internal import NIOCore

/// Remembers whether the client has sent a byte. The handler stands before TLS, because behind it a connection without a byte looks like a
/// failed handshake.
final class FirstByteWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var hasSeenOne = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasSeenOne = true
        context.fireChannelRead(data)
    }
}
