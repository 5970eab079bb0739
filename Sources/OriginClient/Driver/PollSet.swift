internal import CCurl
internal import Glibc

/// The sockets that a driver waits for: its waker's, and those of its HTTP/1.1 connections.
struct PollSet {
    private var entries: [pollfd] = []
    private var connections: [Int] = []

    /// Forgets all but the waker.
    mutating func begin(_ waker: Waker) {
        entries.removeAll(keepingCapacity: true)
        connections.removeAll(keepingCapacity: true)
        entries.append(pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// - Parameters:
    ///   - events: `POLLIN`, `POLLOUT` or both.
    ///   - connection: its index.
    mutating func add(_ socket: CInt, events: Int32, connection: Int) {
        entries.append(pollfd(fd: socket, events: Int16(truncatingIfNeeded: events), revents: 0))
        connections.append(connection)
    }

    var places: Range<Int> { 0..<connections.count }

    subscript(place: Int) -> (connection: Int, socket: CInt, isReady: Bool) {
        let entry = entries[place + 1]
        return (connections[place], entry.fd, entry.revents != 0)
    }

    var isWoken: Bool { entries.first.map { $0.revents != 0 } ?? false }

    /// Waits until one of them is ready. To the nanosecond, because a token may be due in a few microseconds.
    mutating func wait(nanoseconds: Int64) {
        let (seconds, rest) = max(0, nanoseconds).quotientAndRemainder(dividingBy: 1_000_000_000)
        let count = unsafe ccurl_poll(&entries, UInt(entries.count), Int(seconds), Int(rest))
        if count < 0, errno != EINTR { Self.rest(Int32(clamping: nanoseconds / 1_000_000)) }
    }

    /// Waits until one of them is ready, or a socket or timer of libcurl's.
    mutating func wait(with multi: OpaquePointer, milliseconds: Int32) {
        var waited = entries.map { curl_waitfd(fd: $0.fd, events: $0.events, revents: 0) }
        if unsafe curl_multi_poll(multi, &waited, UInt32(waited.count), milliseconds, nil) != CURLM_OK {
            Self.rest(milliseconds)
        }
        for index in entries.indices { entries[index].revents = waited[index].revents }
    }

    /// The wait failed; without this pause the caller's loop would spin.
    private static func rest(_ milliseconds: Int32) { usleep(UInt32(max(0, min(milliseconds, 10))) * 1000) }
}
