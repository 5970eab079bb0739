internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import Primitives

/// The life of one client connection, from TLS's handshake to the end: each event is a step of `EventDriven`, in which `ConnectionMachine`
/// decides and the methods here carry out its actions. The requests of HTTP/1.x are in `ConnectionRequests`; HTTP/2 takes over with
/// `HTTP2Connection`.
final class Connection<R: Responder>: ConnectionRequests<R>, ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var address: ConnectionLimiter.Address?
    private var admission = ConnectionLimiter.Admission.dropped(.connections)

    /// - Parameter isSecured: true if TLS comes before it in the pipeline.
    init(loop: ServerLoop<R>, isSecured: Bool) {
        // The TLS handshake names the protocol.
        let opening: ConnectionMachine.Opening =
            isSecured ? .handshake : loop.limits.maxStreams > 0 ? .preface : .known
        super.init(loop: loop, machine: ConnectionMachine(opening: opening))
    }

    // MARK: Events

    func channelInactive(context: ChannelHandlerContext) {
        // At once, not in a step.
        output.forgetSocket()
        settle(.inactive)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .handedOver = machine.state { drive(.readComplete) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if !context.channel.isActive { output.forgetSocket() }
        settle(.failed(error))
    }

    func channelActive(context: ChannelHandlerContext) { drive(.active) }

    func channelWritabilityChanged(context: ChannelHandlerContext) { settle(.writabilityChanged) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { settle(.user(event)) }

    override func handle(_ event: ConnectionEvent) {
        if case .handedOver = machine.state {
            context?.forward(event)
            return
        }
        let now = Clock.now()
        switch event {
        case .active: open(now: now)
        case .bytes(let bytes):
            guard accept(bytes) else { return }
            keep(bytes)
            resume(now: now)
        case .readComplete: break
        case .writabilityChanged:
            let isWritable = context?.channel.isWritable ?? false
            perform(change { $0.writabilityChanged(isWritable, now: now, limits: $1) }, now: now)
        case .user(let event):
            if let event = event as? ProxyEvent {
                hear(event)
            } else if event as? ChannelEvent == .inputClosed {
                perform(change { $0.inputEnded(now: now, limits: $1) }, now: now)
            } else if case .handshakeCompleted(let name) = event as? TLSUserEvent, case .first = machine.state {
                // The responder's identity for the client's certificate.
                identify(as: context?.peerCertificate.flatMap { loop.responder?.identify($0) } ?? -1)
                perform(change { machine, _ in machine.secured(speaksHTTP2: name == "h2") }, now: now)
            }
        case .failed(let error):
            // The client has closed without TLS's closing alert. Requests carry their length, so nothing can be cut off unnoticed.
            if case .uncleanShutdown = error as? NIOSSLError { return }
            countFailedHandshake()
            close()
        case .inactive: end()
        case .takeOver: switchToHTTP2()
        case .answer(let number, let write): if number == generation { answer(write, now: now) }
        case .lastAnswerLeft: perform(change { machine, _ in machine.lastAnswerLeft(now: now) }, now: now)
        case .partLeft(let succeeded):
            guard succeeded else { return close() }
            output.clientReads(now: now)
            sendContent(now: now)
        case .streamed: sendStream(now: now)
        case .streamPartLeft(let succeeded):
            guard succeeded else { return close() }
            streamPartLeft(now: now)
        case .flushed, .loop(.close): close()
        case .loop(.turn(let now)): perform(change { $0.turn(now: now, limits: $1) }, now: now)
        case .loop(.tick(let now)):
            output.tick(context, now: now)
            let unread = machine.watchesClient ? output.unsentBytes(context) : 0
            let received = pending?.readableBytes ?? 0
            perform(change { $0.tick(now: now, received: received, unread: unread, limits: $1) }, now: now)
        case .loop(.drain(let now)): drainNow(now: now)
        }
    }

    override func perform(_ action: ConnectionMachine.Action, now: MonotonicInstant) {
        switch action {
        case .none: break
        case .parse: resume(now: now)
        case .pauseReading: setReading(false)
        case .queueTurn: loop.queueTurn(of: self)
        case .scheduleSwitch: loop.eventLoop.assumeIsolated().execute { self.drive(.takeOver) }
        case .refuse(let refusal): refuse(refusal)
        case .abort(let refusal):
            // A drain shortens the time of idle connections, which is not their clients' fault.
            if !countFailedHandshake(), !loop.isDraining { loop.responder?.dropped(refusal, from: peer.address) }
            close()
        case .closeAfterFlush:
            output.clientReads(now: now)
            context?.writeAndFlush(ByteBuffer()) { _ in self.drive(.flushed) }
        case .halfClose:
            // Closing at once with unread input makes the kernel reset the connection, and the answer could be lost (RFC 9112, section 9.6).
            context?.close(mode: .output, promise: nil)
            resumeReading()
        case .close: close()
        // These concern bytes, and are carried out where the bytes are.
        case .matchPreface, .keep, .keepAndPause, .drop, .forward: break
        }
    }

    // MARK: Life

    private func open(now: MonotonicInstant) {
        guard let context else { return }
        join(
            as: Peer(context.remoteAddress, at: context.localAddress, proxies: loop.limits.trustedProxies))
        if machine.opening != .handshake { output.open(context) }
        address = peer.isTrustedProxy ? nil : loop.limiter.address(context.remoteAddress)
        change { $0.opened(now: now, limits: $1) }
        let canAnswer = machine.opening != .handshake
        admission = loop.limiter.admit(address, canAnswer: canAnswer)
        if limits.idleGivesWay, admission.refusal == .connections, loop.closeLongestIdle(now: now) {
            loop.limiter.release(nil, admission)
            admission = loop.limiter.admit(address, canAnswer: canAnswer)
        }
        switch admission {
        case .admitted:
            // It was accepted before the server stopped listening, and may have sent its request already.
            if loop.isDraining { drainNow(now: now) }
        case .shed(let refusal): refuse(refusal)
        case .dropped(let refusal):
            loop.responder?.dropped(refusal, from: peer.address)
            _ = change { machine, _ in machine.handshakeEnded() }
            close()
        }
    }

    /// The proxy tells whose connection it is. Its own counts for no limit, its clients' count for theirs.
    private func hear(_ event: ProxyEvent) {
        switch event {
        case .malformed:
            loop.responder?.dropped(.proxyHeader, from: peer.address)
            _ = change { machine, _ in machine.handshakeEnded() }
            close()
        case .header(.proxy): break
        case .header(.unknown): peer.becomeUnknown()
        case .header(.client(let client)):
            // Loopback is the proxy's machine, which is this one if the proxy has connected from it.
            peer.become(client, isOnThisMachine: peer.isLoopback && client.isLoopback)
            peer.isTrustedProxy = loop.limits.trustedProxies.contains(client)
            guard admission == .admitted, loop.limits.maxConnectionsPerPeer > 0 else { return }
            address = client.text
            guard let refusal = loop.limiter.add(client.text) else { return }
            address = nil
            if machine.opening == .handshake {
                loop.responder?.dropped(refusal, from: peer.address)
                _ = change { machine, _ in machine.handshakeEnded() }
                close()
            } else {
                refuse(refusal)
            }
        }
    }

    private func close() {
        if change({ machine, _ in machine.close() }) { loop.responder?.abandon(waiter) }
        output.end()
        context?.close(promise: nil)
    }

    private func end() {
        close()
        leave()
        loop.limiter.release(address, admission)
        admission = .dropped(.connections)
    }

    /// Reports a handshake that was not completed.
    ///
    /// - Returns: true if there was one.
    @discardableResult
    private func countFailedHandshake() -> Bool {
        guard change({ machine, _ in machine.handshakeEnded() }), context?.hasReceivedByte == true else { return false }
        loop.responder?.dropped(.handshake, from: peer.address)
        return true
    }

    /// Hands the connection over to HTTP/2, together with the bytes that have come. This handler stays HTTP/2's entrance: it hands events on,
    /// one after the other.
    ///
    /// It runs in a task of its own, never in a read: adding the codec writes to the socket, and if that fails NIO reads the rest of the
    /// input and closes the channel before it returns.
    private func switchToHTTP2() {
        guard let context, let deadline = change({ machine, _ in machine.switchToHTTP2() }) else { return }
        let connection = HTTP2Connection(loop: loop, peer: peer, address: address, deadline: deadline)
        admission = .dropped(.connections)
        let bytes = pending
        leave()
        guard connection.install(in: context, behind: self), let bytes else { return }
        context.fireChannelRead(NIOAny(bytes))
        context.fireChannelReadComplete()
    }
}
