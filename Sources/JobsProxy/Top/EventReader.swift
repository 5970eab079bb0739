internal import AWSProtocol
internal import Glibc
internal import Primitives

/// Reads `/events` of a gateway's operator's listener, on a socket of its own: a command needs no event loop.
///
/// HTTP/1.0 is spoken, so the events come as they are until the connection ends.
final class EventReader {
    private let descriptor: Int32
    private var received: [UInt8] = []
    private let name: String
    private var hasHead = false
    /// When the last event came, or the connection was made.
    private var lastEvent = Process.now

    /// Events come every second; a gateway that sends none for so long hangs, whatever else it sends. In milliseconds.
    private static let patience: Int32 = 5000
    /// For input of the terminal, and changes of its size, there is a look this often. In milliseconds.
    private static let glance: Int32 = 250
    /// No event is as long.
    private static let longest = 4 << 20
    private static let longestHead = 64 << 10

    /// Connects and asks.
    ///
    /// - Throws: `CommandFailure` if the gateway cannot be reached.
    init(_ address: Configuration.Address, token: String?) throws(CommandFailure) {
        name = "\(address)"
        descriptor = try Self.connect(to: address)
        let field = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        let request = Array("GET /events HTTP/1.0\r\nHost: \(address)\r\n\(field)\r\n".utf8)
        // Unsafe only in its pointer; the length is the array's.
        let sent = unsafe request.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == request.count else { throw CommandFailure("\(name): \(Self.systemError)") }
    }

    deinit { close(descriptor) }

    /// The next `now` event.
    ///
    /// - Parameter orInput: true to return nil when the terminal has input, or after a quarter of a second.
    /// - Throws: `CommandFailure` if the gateway refuses or goes.
    func next(orInput: Bool) throws(CommandFailure) -> JSONValue? {
        while true {
            let now = Process.now
            if let event = try takeEvent() {
                lastEvent = now
                return event
            }
            guard now - lastEvent < Int64(Self.patience) * 1_000_000 else {
                throw CommandFailure("\(name) sends no events")
            }
            var sources = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: orInput ? STDIN_FILENO : -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&sources, 2, Self.glance)
            if sources[0].revents != 0 {
                try receive()
                continue
            }
            if orInput { return nil }
        }
    }

    private func receive() throws(CommandFailure) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw CommandFailure("\(name) has ended the connection") }
        received += buffer.prefix(count)
        guard received.count <= (hasHead ? Self.longest : Self.longest + Self.longestHead) else {
            throw CommandFailure("\(name) sends no events")
        }
    }

    /// The last whole `now` event that has come; earlier ones are dropped.
    private func takeEvent() throws(CommandFailure) -> JSONValue? {
        if !hasHead {
            let start = received.prefix(Self.longestHead)
            guard let end = start.firstRange(of: Array("\r\n\r\n".utf8)) else {
                guard start.count < Self.longestHead else { throw CommandFailure("\(name) sends no events") }
                return nil
            }
            try check(String(decoding: received[..<end.lowerBound], as: UTF8.self))
            received.removeSubrange(..<end.upperBound)
            hasHead = true
        }
        var event: JSONValue?
        while let end = received.firstRange(of: Array("\n\n".utf8)) {
            let lines = received[..<end.lowerBound].split(separator: UInt8(ascii: "\n"))
            let data = lines.last.map { Array($0.dropFirst("data: ".utf8.count)) } ?? []
            if lines.first.map({ $0.elementsEqual("event: now".utf8) }) ?? false {
                event = (try? JSONValue(data)) ?? event
            }
            received.removeSubrange(..<end.upperBound)
        }
        return event
    }

    private func check(_ head: String) throws(CommandFailure) {
        switch head.split(separator: " ").dropFirst().first {
        case "200": return
        case "401": throw CommandFailure("\(name) asks for its token: --token-env NAME of the variable that holds it")
        case "503": throw CommandFailure("\(name) is watched by as many as may")
        case "403": throw CommandFailure("\(name) refuses: name it by an address of its own, such as 127.0.0.1")
        case "404": throw CommandFailure("\(name) has no /events: is it admin.address of a gateway?")
        case let status: throw CommandFailure("\(name) answers with \(TopFrame.clean(String(status ?? "nothing")))")
        }
    }

    private static func connect(to address: Configuration.Address) throws(CommandFailure) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(address.host, "\(address.port)", &hints, &found)
        guard code == 0 else { throw CommandFailure("\(address): \(unsafe String(cString: gai_strerror(code)))") }
        defer { unsafe freeaddrinfo(found) }
        var next = unsafe found
        var reason = "there is no such address"
        while let candidate = unsafe next?.pointee {
            let descriptor = unsafe socket(candidate.ai_family, candidate.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
            // A connection that is begun is given up by the kernel after this time too.
            var time = timeval(tv_sec: Int(patience / 1000), tv_usec: 0)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
            if descriptor >= 0, unsafe Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 {
                return descriptor
            }
            reason = systemError
            if descriptor >= 0 { close(descriptor) }
            unsafe next = candidate.ai_next
        }
        throw CommandFailure("\(address): \(reason)")
    }

    private static var systemError: String { unsafe String(cString: strerror(errno)) }
}
