internal import NIOCore

/// An event of a connection over HTTP/1.x.
enum ConnectionEvent {
    case active
    case bytes(ByteBuffer)
    case readComplete
    case writabilityChanged
    /// An event of another handler or the channel, such as the end of input.
    case user(Any)
    case failed(any Error)
    case inactive
    /// HTTP/2 may take over.
    case takeOver
    /// The last answer has left, or never will.
    case lastAnswerLeft
    /// A part of a large answer has left, or never will.
    case partLeft(succeeded: Bool)
    /// Everything that was written has left, or never will, and the connection is to close.
    case flushed
    case loop(LoopEvent)
}

/// The events that need nothing but the entrance.
extension Connection {
    func channelActive(context: ChannelHandlerContext) { drive(.active) }

    func channelWritabilityChanged(context: ChannelHandlerContext) { settle(.writabilityChanged) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { settle(.user(event)) }

    func drive(_ event: LoopEvent) { drive(.loop(event)) }
}

extension ChannelHandlerContext {
    /// Hands an event on to HTTP/2.
    func forward(_ event: ConnectionEvent) {
        switch event {
        case .bytes(let bytes): fireChannelRead(NIOAny(bytes))
        case .readComplete: fireChannelReadComplete()
        case .writabilityChanged: fireChannelWritabilityChanged()
        case .user(let event): fireUserInboundEventTriggered(event)
        case .failed(let error): fireErrorCaught(error)
        case .inactive: fireChannelInactive()
        case .active, .takeOver, .lastAnswerLeft, .partLeft, .flushed, .loop: break
        }
    }
}
