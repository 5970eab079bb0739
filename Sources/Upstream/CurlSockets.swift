internal import Glibc

/// The sockets of a driver's HTTP/1.1 connections, by their local ports.
///
/// It is for looking whether something has come on one while nobody had asked: a reply that goes on after its end, or the
/// connection's end. libcurl (7.88) takes either for the reply to the next request.
final class CurlSockets {
    /// A connection that was made for an attempt.
    struct Connection {
        let port: Int32
        let socket: Int32

        /// - Parameter sockets: what was opened to make it; to an address that did not answer too.
        init?(port: Int32, among sockets: [Int32]) {
            guard let socket = sockets.last(where: { Self.localPort($0) == port }) else { return nil }
            self.port = port
            self.socket = socket
        }

        private static func localPort(_ socket: Int32) -> Int32? {
            var address = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
                unsafe getsockname(
                    socket, UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: sockaddr.self), &size)
            }
            guard code == 0 else { return nil }
            // The port lies at the same place in both families.
            return unsafe withUnsafeBytes(of: &address) { bytes in
                Int32(unsafe UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            }
        }
    }

    private var socketOfPort: [Int32: Int32] = [:]

    /// A connection has brought its first reply. On one that speaks HTTP/2 there may always be something to read.
    func note(_ connection: Connection, isHTTP2: Bool) {
        socketOfPort[connection.port] = isHTTP2 ? nil : connection.socket
    }

    /// Whether a connection that waited to be used again is as silent as it should be. One that is not known is taken to be.
    ///
    /// Ports and sockets of connections that are gone are used again, but by then the new one has been noted.
    func isSilent(_ port: Int32) -> Bool {
        guard let socket = socketOfPort[port] else { return true }
        var byte: UInt8 = 0
        let count = unsafe recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count < 0 && errno == EAGAIN
    }

    /// All connections are gone.
    func removeAll() { socketOfPort = [:] }
}
