internal import NIOCore
internal import Primitives

/// A connection to a server: commands in order, replies in order, each with a deadline.
///
/// A connection with one overdue reply is closed, and all of its calls fail with `timeout`: replies come in order, so the others wait behind
/// that one, and a server that is slow counts as down. One timer stands for the earliest deadline.
///
/// All events come through `drive`: writing and closing may call back before they return, and such an event waits until the running step has
/// ended. Lives on its event loop.
final class RedisConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Event {
        case calls([RedisCall])
        case bytes(ByteBuffer)
        case timer
        case end(RedisError)
    }

    private var reader: RESPReader
    private var queue = CallQueue()
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var timerAt = MonotonicInstant.distantFuture
    private var isRunning = false
    private var waiting: [Event] = []

    /// The reason of the connection's end; `nil` while it is open.
    private(set) var reason: RedisError?
    /// Called once, with the reason, after the calls have failed.
    var onEnd: ((RedisError) -> Void)?
    /// Called for each reply that is dropped because its deadline is over.
    var onLateReply: (() -> Void)?

    init(_ limits: RESPReader.Limits) { reader = RESPReader(limits) }

    /// Sends commands. They fail with `notConnected` if the connection has ended.
    func send(_ calls: [RedisCall]) { drive(.calls(calls)) }

    /// Sends one command.
    ///
    /// - Parameters:
    ///   - eventLoop: the connection's own.
    ///   - completion: called once, on that event loop.
    func call(
        _ command: RedisCommand, deadline: MonotonicInstant, on eventLoop: any EventLoop,
        _ completion: @escaping (Result<RESPValue, RedisError>) -> Void
    ) {
        let bound = NIOLoopBound(completion, eventLoop: eventLoop)
        send([RedisCall(command: command.bytes, deadline: deadline) { bound.value($0) }])
    }

    /// Closes the connection. Outstanding calls fail with `closed`.
    func close() { drive(.end(.closed)) }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        drive(.end(.connectionLost("the connection was closed")))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { drive(.bytes(unwrapInboundIn(data))) }

    func channelInactive(context: ChannelHandlerContext) {
        drive(.end(.connectionLost("the server has closed it")))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        drive(.end(.connectionLost(RedisError.words(of: error))))
    }

    // MARK: Steps

    private func drive(_ event: Event) {
        waiting.append(event)
        guard !isRunning else { return }
        isRunning = true
        while !waiting.isEmpty { handle(waiting.removeFirst()) }
        isRunning = false
    }

    private func handle(_ event: Event) {
        guard reason == nil, let context else {
            if case .calls(let calls) = event { for call in calls { call.completion(.failure(.notConnected)) } }
            return
        }
        switch event {
        case .calls(let calls): write(calls, context)
        case .bytes(let buffer): read(buffer, context)
        case .timer: checkDeadlines(context)
        case .end(let reason): end(reason, context)
        }
    }

    private func write(_ calls: [RedisCall], _ context: ChannelHandlerContext) {
        let now = MonotonicInstant.now
        // What is overdue because this thread was late is not sent: it says nothing about the server.
        let isSent: (RedisCall) -> Bool = { now < $0.deadline }
        let bytes = calls.reduce(0) { $0 + (isSent($1) ? $1.command.count : 0) }
        var buffer = context.channel.allocator.buffer(capacity: bytes)
        for call in calls where isSent(call) {
            buffer.writeBytes(call.command)
            queue.append(call)
            arm(call.deadline, context)
        }
        if bytes > 0 { context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
        for call in calls where !isSent(call) { call.completion(.failure(.timeout)) }
    }

    private func read(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
        var replies: [RESPValue] = []
        var fault: RESPFault?
        do throws(RESPFault) {
            let bytes = buffer.readableBytesUInt8Span
            var position = 0
            while let reply = try reader.read(bytes, &position) { replies.append(reply) }
        } catch {
            fault = error
        }
        let now = MonotonicInstant.now
        var moveOn: RedisServerError?
        for reply in replies {
            switch queue.match(now: now) {
            case .none:
                return end(.protocolFault(.unsolicited), context)
            case .late(let call):
                onLateReply?()
                call.completion(.failure(.timeout))
                return end(.timeout, context)
            case .call(let call):
                if case .error(let error) = reply {
                    if error.needsAnotherServer { moveOn = moveOn ?? error }
                    call.completion(.failure(.server(error)))
                } else {
                    call.completion(.success(reply))
                }
            }
        }
        if let fault {
            end(.protocolFault(fault), context)
        } else if let moveOn {
            end(.server(moveOn), context)
        }
    }

    private func end(_ reason: RedisError, _ context: ChannelHandlerContext) {
        self.reason = reason
        timer?.cancel()
        timer = nil
        let failure: RedisError =
            if case .server(let error) = reason { .connectionLost("another server is looked for: \(error)") } else {
                reason
            }
        let calls = queue.removeAll()
        context.close(promise: nil)
        for call in calls { call.completion(.failure(failure)) }
        let onEnd = onEnd
        (self.onEnd, onLateReply) = (nil, nil)
        onEnd?(reason)
    }

    // MARK: Deadlines

    private func arm(_ deadline: MonotonicInstant, _ context: ChannelHandlerContext) {
        guard deadline < timerAt else { return }
        timer?.cancel()
        timerAt = deadline
        // Isolated because handlers run on their channel's event loop alone.
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline.deadline) { [weak self] in
            self?.drive(.timer)
        }
    }

    /// Ends the connection if a reply is overdue; otherwise waits for the next deadline.
    private func checkDeadlines(_ context: ChannelHandlerContext) {
        (timer, timerAt) = (nil, .distantFuture)
        guard let deadline = queue.earliestDeadline else { return }
        if deadline <= .now { end(.timeout, context) } else { arm(deadline, context) }
    }
}

extension MonotonicInstant {
    /// Read from the clock of event loops.
    static var now: Self { Self(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds)) }

    var deadline: NIODeadline { .uptimeNanoseconds(UInt64(clamping: nanoseconds)) }
}
