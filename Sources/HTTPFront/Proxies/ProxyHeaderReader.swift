internal import NIOCore

/// Takes the header of the PROXY protocol off the beginning of a connection, before TLS. It stands in the pipeline of trusted proxies' connections
/// alone, until their first bytes are known.
final class ProxyHeaderReader: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private var held: ByteBuffer?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if var held {
            held.writeBuffer(&bytes)
            bytes = held
        }
        switch ProxyHeader.read(bytes.readableBytesView) {
        case .incomplete: held = bytes
        case .absent: pass(bytes, context)
        case .malformed:
            held = nil
            context.fireUserInboundEventTriggered(ProxyEvent.malformed)
        case .header(let header):
            bytes.moveReaderIndex(forwardBy: header.length)
            context.fireUserInboundEventTriggered(ProxyEvent.header(header.origin))
            pass(bytes, context)
        }
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        held = nil
        if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

/// What the header of a connection says, for the connection.
enum ProxyEvent: Sendable {
    case header(ProxyHeader.Origin)
    case malformed
}
