internal import Glibc
internal import NIOCore

/// Writes answers directly to the socket of a connection while NIO's queue of writes is empty: that queue costs a fifth of a small answer's
/// total. The bytes that the kernel does not take go through NIO, and so do all bytes after them until the queue is empty again.
///
/// `@safe` because: the descriptor is the channel's, which closes it on this thread and then says so (`channelInactive`, or an error of
/// an inactive channel), where it is forgotten. In between NIO only fails promises of writes, whose callbacks never write. The pointer
/// does not leave the call.
@safe struct SocketOutput {
    /// `nil` if the channel has no socket, another handler stands in between, or the connection is closed.
    private var descriptor: CInt?
    /// True if NIO's queue may hold bytes.
    private var mayBeQueued = false

    /// An output that writes no byte: no channel is active.
    init() {}

    /// Writes to the socket of a channel that has become active.
    init(_ context: ChannelHandlerContext) {
        descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
    }

    /// The channel is closed, or about to be.
    mutating func close() { descriptor = nil }

    /// Writes as many bytes as the kernel takes now.
    ///
    /// - Parameters:
    ///   - unsentBytes: the bytes in NIO's queue.
    ///   - more: true if more bytes follow at once, so that the kernel need not send a short segment.
    /// - Returns: the number of bytes written; the caller gives the rest to NIO.
    mutating func write(_ bytes: Span<UInt8>, unsentBytes: @autoclosure () -> Int, more: Bool = false) -> Int {
        guard let descriptor, !mayBeQueued || unsentBytes() == 0 else { return 0 }
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe send(
                descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | (more ? CInt(MSG_MORE) : 0))
        }
        // NIO runs into an error of the socket too, and handles it.
        let written = max(0, min(count, bytes.count))
        mayBeQueued = written < bytes.count
        return written
    }
}
