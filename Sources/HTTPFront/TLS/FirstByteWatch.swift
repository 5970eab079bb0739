internal import NIOCore
internal import NIOSSL

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

extension ChannelHandlerContext {
    /// True if the client has sent a byte. Load balancers open connections without one to check the port.
    var hasReceivedByte: Bool {
        (try? pipeline.syncOperations.handler(type: FirstByteWatch.self))?.hasSeenOne == true
    }

    /// The client's certificate, which the handshake has verified; `nil` without one.
    var peerCertificate: PeerCertificate? {
        guard let shown = try? pipeline.syncOperations.nioSSL_peerCertificate(), let der = try? shown.toDERBytes()
        else {
            return nil
        }
        return try? PeerCertificate(der: der)
    }
}
