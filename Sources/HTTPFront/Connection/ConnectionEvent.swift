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
    /// The answer to the request of this number, given while another event was handled.
    case answer(UInt64, (inout ResponseWriter) -> Void)
    case lastAnswerLeft
    /// A part of a large answer has left, or never will.
    case partLeft(succeeded: Bool)
    /// Content of a streamed answer has come.
    case streamed
    /// A part of a streamed answer has left, or never will.
    case streamPartLeft(succeeded: Bool)
    /// Everything that was written has left, or never will, and the connection is to close.
    case flushed
    case loop(LoopEvent)
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
        default: break
        }
    }
}
