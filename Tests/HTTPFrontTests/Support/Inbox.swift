import Foundation
import NIOCore
import NIOPosix

/// What a channel receives, for a test that waits for it.
final class Inbox: @unchecked Sendable {
    // `@unchecked` because: the state is reached only while the condition is locked.

    private let condition = NSCondition()
    private var received: [UInt8] = []
    private var hasEnded = false
    private var events: [String] = []
    private var errors: [any Error] = []

    fileprivate func change(_ body: (Inbox) -> Void) {
        condition.withLock {
            body(self)
            condition.broadcast()
        }
    }

    /// Waits until `body` has a result, at most `Waiting.limit`; nothing more can come once the input has ended.
    private func wait<Result: Sendable>(
        _ what: String, _ body: @escaping @Sendable (Inbox) throws -> Result?
    ) async throws -> Result {
        try await Waiting.pool.runIfActive { [self] in
            let end = Date(timeIntervalSinceNow: Waiting.limit)
            condition.lock()
            defer { condition.unlock() }
            while true {
                if let result = try body(self) { return result }
                if hasEnded { throw errors.first ?? TestClient.Failure.ended(what) }
                guard condition.wait(until: end) else { throw Waiting.Expired(what: what) }
            }
        }
    }

    func answer() async throws -> Answer { try await wait("an answer") { try Answer.take(from: &$0.received) } }

    /// What comes before the server ends its output, which it must do without an error.
    func remainder() async throws -> String {
        try await wait("the end of the connection") { inbox in
            if let error = inbox.errors.first { throw error }
            return inbox.hasEnded ? text(inbox.received) : nil
        }
    }

    func handshake() async throws -> String { try await wait("the handshake") { $0.events.first } }

    /// Takes what a channel receives to the inbox.
    final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inbox: Inbox
        private let describe: (Any) -> String?

        /// - Parameter describe: the events to be kept, in words.
        init(_ inbox: Inbox, describe: @escaping (Any) -> String? = { _ in nil }) {
            self.inbox = inbox
            self.describe = describe
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            inbox.change { $0.received += Array(unwrapInboundIn(data).readableBytesView) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { inbox.change { $0.hasEnded = true } }
            if let text = describe(event) { inbox.change { $0.events.append(text) } }
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.change { $0.hasEnded = true } }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            inbox.change { $0.errors.append(error) }
            context.close(promise: nil)
        }
    }
}
