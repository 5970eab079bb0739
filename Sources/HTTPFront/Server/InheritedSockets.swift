internal import Glibc
public import NIOCore

/// Listening sockets that the process was started with (socket activation, sd_listen_fds(3)): `LISTEN_FDS` of them, from
/// descriptor 3 on, TCP or Unix ones, if `LISTEN_PID` is this process or is not there, which is how a parent does it that cannot know it.
///
/// A parent that holds the sockets too keeps the connections that wait to be accepted, so that a process can be replaced without refusing
/// any.
public struct InheritedSockets: Sendable {
    /// The reason why the sockets cannot be used.
    public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
        public let description: String
    }

    /// The first descriptor that is handed over.
    static let first: Int32 = 3
    /// Far above any real number of sockets.
    private static let maxCount: Int32 = 1000

    /// The sockets that were not taken yet, with their addresses.
    private var sockets: [(descriptor: Int32, address: SocketAddress)] = []

    /// Reads the environment, and closes the sockets in child processes. Without `LISTEN_FDS`, or if `LISTEN_PID` names another process,
    /// there are no sockets.
    ///
    /// - Parameter variable: the value of an environment variable.
    /// - Throws: `Failure` if a descriptor is not a listening TCP or Unix socket.
    public init(_ variable: (String) -> String? = environmentVariable) throws(Failure) {
        try self.init(first: Self.first, processID: getpid(), variable)
    }

    init(first: Int32, processID: Int32, _ variable: (String) -> String?) throws(Failure) {
        guard let count = variable("LISTEN_FDS"), (variable("LISTEN_PID") ?? "\(processID)") == "\(processID)" else {
            return
        }
        guard let count = Int32(count), (0...Self.maxCount).contains(count) else {
            throw Failure(description: "LISTEN_FDS is '\(count)', which is no number of descriptors")
        }
        for descriptor in first..<first + count {
            guard let address = Self.listeningAddress(descriptor) else {
                throw Failure(description: "descriptor \(descriptor) of LISTEN_FDS is no listening TCP or Unix socket")
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            sockets.append((descriptor, address))
        }
    }

    /// Removes and returns the socket that listens on an address. The caller owns it, and passes it to `Server.listen`.
    ///
    /// - Parameters:
    ///   - host: an IP address, or a name, which is looked up.
    ///   - port: 0 for any port of that address.
    /// - Returns: its descriptor; `nil` if no socket listens there.
    public mutating func take(host: String, port: Int) -> Int32? {
        guard !sockets.isEmpty, let wanted = Self.address(host, port),
            let index = sockets.firstIndex(where: { _, address in
                address.ipAddress == wanted.ipAddress && (port == 0 || address.port == port)
            })
        else { return nil }
        return sockets.remove(at: index).descriptor
    }

    /// Removes and returns the Unix socket at a path; as `take(host:port:)`.
    public mutating func take(path: String) -> Int32? {
        guard let index = sockets.firstIndex(where: { $0.address.pathname == path }) else { return nil }
        return sockets.remove(at: index).descriptor
    }

    /// The addresses of the sockets that were not taken: the parent's configuration differs.
    public var remaining: [SocketAddress] { sockets.map(\.address) }

    private static func address(_ host: String, _ port: Int) -> SocketAddress? {
        if let address = try? SocketAddress(ipAddress: host, port: port) { return address }
        return try? SocketAddress.makeAddressResolvingHost(host, port: port)
    }

    /// The address of a listening TCP or Unix socket; `nil` for any other descriptor.
    private static func listeningAddress(_ descriptor: Int32) -> SocketAddress? {
        var accepts: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0, accepts == 1 else {
            return nil
        }
        // Unsafe only in that an address is read as its bytes: the family, the port in network order, and the IP address at
        // byte 4 (sockaddr_in) or 8 (sockaddr_in6).
        var bytes = [UInt8](repeating: 0, count: 128)
        var size = socklen_t(bytes.count)
        let isKnown = unsafe bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
        }
        guard isKnown else { return nil }
        let family = unsafe Int32(bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt16.self) })
        let port = Int(bytes[2]) << 8 | Int(bytes[3])
        switch family {
        case AF_INET: return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes[4..<8]), port: port)
        case AF_UNIX:
            let path = bytes[2..<min(Int(size), bytes.count)].prefix { $0 != 0 }
            return path.isEmpty ? nil : try? SocketAddress(unixDomainSocketPath: String(decoding: path, as: UTF8.self))
        case AF_INET6: return try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes[8..<24]), port: port)
        default: return nil
        }
    }

    /// The value of a variable of the process's environment.
    public static func environmentVariable(_ name: String) -> String? {
        // Unsafe only if the environment changes meanwhile; this process never changes it.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
