internal import NIOCore
internal import NIOHTTP2
internal import Primitives

/// An event of an HTTP/2 connection.
enum HTTP2Event {
    case frame(HTTP2Frame)
    case readComplete
    case writabilityChanged
    /// An event of the codec or the channel, such as the end of a stream.
    case user(Any)
    case failed
    case inactive
    case partLeft(count: Int, of: HTTP2StreamID, isLast: Bool, resets: Bool)
    /// Content of a stream's answer has come.
    case streamed(HTTP2StreamID)
    case lastAnswerLeft
    case loop(LoopEvent)
    case streamTick(HTTP2StreamID, now: MonotonicInstant)
    /// The answer to the request of a stream, given while another event was handled.
    case answer(HTTP2StreamID, (inout ResponseWriter) -> Void)
}

/// The events that need nothing but the entrance.
extension HTTP2Connection {
    func channelInactive(context: ChannelHandlerContext) { drive(.inactive) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { drive(.frame(unwrapInboundIn(data))) }

    func channelReadComplete(context: ChannelHandlerContext) { drive(.readComplete) }

    func channelWritabilityChanged(context: ChannelHandlerContext) { drive(.writabilityChanged) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { drive(.user(event)) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { drive(.failed) }

    func drive(_ event: LoopEvent) { drive(.loop(event)) }

    /// The streams wait for answers, not the connection.
    func answer(_ responder: R, _ write: @escaping (R, inout ResponseWriter) -> Void) -> Bool { false }
}
