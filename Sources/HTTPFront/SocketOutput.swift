internal import Glibc
internal import NIOCore

/// Writes answers to a connection's socket at once, for as long as nothing waits in NIO's queue of writes: to go through that
/// queue costs a fifth of what a small answer costs in all. What the kernel does not take goes NIO's way, and so does
/// everything behind it until all of it has left.
///
/// `@safe` because: the descriptor is the channel's, which closes it on this thread and then says so (`channelInactive`), where it is
/// forgotten. In between NIO only fails promises of writes, and what waits for those never writes. The pointer does not leave the
/// call.
@safe struct SocketOutput {
    /// Nothing where the channel is none of a socket's, or another handler stands between, or there is no connection any more.
    private var descriptor: CInt?
    /// Whether something may wait in NIO's queue.
    private var mayBeQueued = false

    /// Writes to the socket of a channel that has become active from here on.
    mutating func open(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// The channel is closed, or about to be.
    mutating func close() { descriptor = nil }

    /// Writes what the kernel takes now.
    ///
    /// - Returns: whether that was all; if not, the rest is left in `buffer`, and goes to NIO.
    mutating func write(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
        guard let descriptor else { return false }
        if mayBeQueued {
            guard context.unsentBytes == 0 else { return false }
            mayBeQueued = false
        }
        let count = unsafe buffer.withUnsafeReadableBytes { bytes in
            unsafe send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        }
        // What is wrong with the socket NIO finds out too, and deals with.
        buffer.moveReaderIndex(forwardBy: max(0, min(count, buffer.readableBytes)))
        mayBeQueued = buffer.readableBytes > 0
        return !mayBeQueued
    }
}
