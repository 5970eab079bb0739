internal import NIOCore

/// The answers of a connection that its client has not read: the rest of a large content, and the bytes in the channel's queue.
struct UnsentAnswers {
    /// The content of a large answer that has not left whole.
    private(set) var content: LargeContent?
    /// True if the channel's queue may hold bytes.
    var mayBeQueued = false
    /// The bytes of the channel's queue that the ledger counts.
    private var countedBytes = 0
    /// When the client last read a byte while bytes waited for it.
    private var readAt = Int64.max

    /// The time since which the client has read nothing; `nil` without unsent answers.
    var unreadSince: Int64? { countedBytes > 0 || content?.isCounted == true ? readAt : nil }

    /// The client has read, or is to begin to read.
    mutating func clientReads(now: Int64) { readAt = now }

    /// A large answer begins; no byte of its content has left.
    mutating func begin(_ content: LargeContent) { self.content = content }

    /// Some of the content has left.
    mutating func update(_ content: LargeContent) {
        self.content = content
        mayBeQueued = true
    }

    /// The content has left, or never will.
    mutating func endContent(_ ledger: UnsentLedger) {
        if var content { ledger.release(&content) }
        content = nil
    }

    /// Stores the bytes in the channel's queue.
    mutating func count(_ queuedBytes: Int, now: Int64, _ ledger: UnsentLedger) {
        if queuedBytes < countedBytes || countedBytes == 0 { readAt = now }
        ledger.addCopied(queuedBytes - countedBytes)
        countedBytes = queuedBytes
        if queuedBytes == 0, content == nil { mayBeQueued = false }
    }

    mutating func end(_ ledger: UnsentLedger) {
        endContent(ledger)
        ledger.addCopied(-countedBytes)
        countedBytes = 0
        mayBeQueued = false
    }
}

extension ChannelHandlerContext {
    /// The bytes in the channel's queue, which the kernel has not taken.
    var unsentBytes: Int { (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Writes and flushes; `body` is called with true when the value has left, or with false if it never will.
    func writeAndFlush(_ value: some Sendable, then body: @escaping (Bool) -> Void) {
        let written = eventLoop.makePromise(of: Void.self)
        writeAndFlush(NIOAny(value), promise: written)
        written.futureResult.assumeIsolated().whenComplete { body((try? $0.get()) != nil) }
    }
}
