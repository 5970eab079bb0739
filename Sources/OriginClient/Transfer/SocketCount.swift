internal import Glibc
internal import Locking
internal import Synchronization

/// The number of open sockets of some endpoints. Any thread may read it.
package final class SocketCount: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    package var value: Int { count.load(ordering: .relaxed) }

    /// The open sockets that are counted, by descriptor. Of the process, because libcurl may close a socket when the handle that opened it
    /// is gone.
    private static let counted = Locked<[Int32: SocketCount]>([:])

    func opened(_ socket: Int32) {
        count.wrappingAdd(1, ordering: .relaxed)
        Self.counted.withLock { $0[socket] = self }
    }

    /// Closes a socket.
    ///
    /// - Returns: the result of close(2).
    static func close(_ socket: Int32) -> Int32 {
        // Before its number is free for another one.
        let owner = counted.withLock { $0.removeValue(forKey: socket) }
        owner?.count.wrappingSubtract(1, ordering: .relaxed)
        return Glibc.close(socket)
    }
}
