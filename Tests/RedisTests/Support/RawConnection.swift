import Foundation
import Glibc

@testable import Redis

/// A blocking connection to a server's unix socket, for servers that no client connects to.
struct RawConnection {
    private let socket: FileHandle

    init?(_ path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 else { return nil }
        socket = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Sends a command, and returns what comes first.
    func call(_ words: String...) -> String? {
        let command = RedisCommand(words: words.map { Array($0.utf8) })
        guard (try? socket.write(contentsOf: Data(command.bytes))) != nil else { return nil }
        return String(decoding: socket.availableData, as: UTF8.self)
    }
}
