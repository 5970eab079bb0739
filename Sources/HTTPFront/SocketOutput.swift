internal import Glibc
internal import NIOCore

/// Writes answers to a connection's socket at once, for as long as nothing waits in NIO's queue of writes: to go through that
/// queue costs a fifth of what a small answer costs in all. What the kernel does not take goes NIO's way, and so does
/// everything behind it until all of it has left.
///
/// `@safe` because: the descriptor is the channel's, which closes it on this thread and then says so (`channelInactive`, or an error of
/// an inactive channel), where it is forgotten. In between NIO only fails promises of writes, and whoever waits for those has read its
/// last and never writes. The pointer does not leave the call.
@safe struct SocketOutput {
    /// Nothing where the channel is none of a socket's, or another handler stands between, or there is no connection any more.
    private var descriptor: CInt?
    /// Whether something may wait in NIO's queue.
    private var mayBeQueued = false

    /// Writes nothing: no channel is active.
    init() {}

    /// Writes to the socket of a channel that has become active.
    init(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// The channel is closed, or about to be.
    mutating func close() { descriptor = nil }

    /// Writes what the kernel takes now.
    ///
    /// - Parameters:
    ///   - unsentBytes: how much NIO's queue holds.
    ///   - more: whether more follows at once, so that the kernel need not send a short segment.
    /// - Returns: how many of the bytes it was; the rest has to go to NIO.
    mutating func write(_ bytes: Span<UInt8>, unsentBytes: @autoclosure () -> Int, more: Bool = false) -> Int {
        guard let descriptor, !mayBeQueued || unsentBytes() == 0 else { return 0 }
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe send(
                descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | (more ? CInt(MSG_MORE) : 0))
        }
        // What is wrong with the socket NIO finds out too, and deals with.
        let written = max(0, min(count, bytes.count))
        mayBeQueued = written < bytes.count
        return written
    }
}
