import Glibc

/// An HTTP/1.1 origin on a free loopback port that does to each request what the test says, faults included, and keeps
/// a record of what it saw. It is made of blocking sockets with a thread each, so that no library's manners get in the
/// way.
///
///     let origin = try ScriptedOrigin { request, index in .reply(body: "{}") }
///     defer { origin.stop() }
///
/// It has to be stopped; what stalls does so until then, or until the client goes.
final class ScriptedOrigin: @unchecked Sendable {
    // `@unchecked` because: the state is touched only under `monitor`; the rest does not change.

    struct Request: Sendable {
        var method: String
        var target: String
        /// In their order, names as they came.
        var fields: [(name: String, value: String)]
        var body: [UInt8]
        /// Which connection it came over, counted from 0.
        var connection: Int

        /// The value of the first field of this name, in any case.
        subscript(name: String) -> String? {
            fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    indirect enum Step: Sendable {
        /// A whole reply, the connection kept. `Content-Length` is added unless `fields` frame the body themselves.
        case reply(status: Int = 200, fields: [(String, String)] = [], body: String = "")
        /// These bytes as they are, the connection kept.
        case raw(String)
        /// A reply that announces all of `body` and ends with the connection after so many bytes of it.
        case cutShort(after: Int, body: String)
        /// The head of a reply that announces `body`, and then nothing.
        case stallAfterHead(body: String)
        /// A whole reply whose body comes in pieces of so many bytes with a pause between them.
        case trickle(body: String, bytes: Int, milliseconds: Int32)
        /// Nothing at all.
        case stall
        /// End of the connection, in order.
        case close
        /// End of the connection by a TCP reset.
        case reset
        /// One after the other, up to the first that ends the connection.
        case sequence([Step])
    }

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: Set<Int32> = []
        /// Threads that still run, the accepting one included.
        var threads = 0
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let onAccept: @Sendable (Int) -> Step?
    private let script: @Sendable (Request, Int) -> Step
    private let monitor = Monitor()
    private var state = State()

    /// Starts it.
    ///
    /// - Parameters:
    ///   - onAccept: What to do to a connection (counted from 0) before anything is read from it; nil to read.
    ///   - script: What to do to a request; the number counts the requests of all connections from 0.
    init(
        onAccept: @escaping @Sendable (Int) -> Step? = { _ in nil },
        script: @escaping @Sendable (Request, Int) -> Step
    ) throws {
        (listener, port) = try listenOnLoopback()
        self.onAccept = onAccept
        self.script = script
        spawn { origin in origin.acceptAll() }
    }

    /// `http://127.0.0.1:port/`
    var url: String { "http://127.0.0.1:\(port)/" }

    /// Ends all connections and returns when the last thread is done.
    func stop() {
        monitor.change {
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for socket in state.open { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        _ = monitor.wait(seconds: 10) { state.threads == 0 }
    }
}

// MARK: The record

extension ScriptedOrigin {
    /// All requests that were read to their end.
    var requests: [Request] { monitor.change { state.requests } }
    /// How many connections were ever accepted.
    var connectionCount: Int { monitor.change { state.connections } }
    /// How many are open now.
    var openConnectionCount: Int { monitor.change { state.open.count } }

    /// Returns true as soon as so many requests have been read, and false if that takes longer than `seconds`.
    func waitForRequests(_ count: Int, seconds: Int = 10) -> Bool {
        monitor.wait(seconds: seconds) { state.requests.count >= count }
    }

    /// Returns true as soon as at most so many connections are open, and false if that takes longer than `seconds`.
    func waitForOpenConnections(atMost count: Int, seconds: Int = 10) -> Bool {
        monitor.wait(seconds: seconds) { state.open.count <= count }
    }
}

// MARK: Threads

extension ScriptedOrigin {
    private func spawn(_ body: @escaping @Sendable (ScriptedOrigin) -> Void) {
        monitor.change { state.threads += 1 }
        startThread {
            body(self)
            self.monitor.change { self.state.threads -= 1 }
        }
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let socket = accept(listener, nil, nil)
            guard socket >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            let number: Int? = monitor.change {
                guard !state.isStopped else { return nil }
                state.connections += 1
                state.open.insert(socket)
                return state.connections - 1
            }
            guard let number else {
                close(socket)
                continue
            }
            spawn { origin in origin.serve(Connection(socket: socket, number: number)) }
        }
    }

    private func serve(_ connection: Connection) {
        var connection = connection
        var isOpen = onAccept(connection.number).map { connection.perform($0) } ?? true
        while isOpen, let request = connection.readRequest() {
            let index: Int = monitor.change {
                state.requests.append(request)
                return state.requests.count - 1
            }
            isOpen = connection.perform(script(request, index))
        }
        // Closed under the lock: its number may be another socket's right after, which `stop` must not touch.
        monitor.change {
            state.open.remove(connection.socket)
            close(connection.socket)
        }
    }
}

// MARK: One connection

private struct Connection: Sendable {
    let socket: Int32
    let number: Int
    /// Read and not yet used.
    private var pending: [UInt8] = []

    init(socket: Int32, number: Int) {
        self.socket = socket
        self.number = number
    }

    /// The next request, or nil at the end of the connection. It frames by `Content-Length` alone.
    mutating func readRequest() -> ScriptedOrigin.Request? {
        var end = pending.headEnd
        while end == nil {
            guard readMore() else { return nil }
            end = pending.headEnd
        }
        guard let end else { return nil }
        let lines = String(decoding: pending[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        let fields = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), line[line.index(after: colon)...].trimmed)
        }
        var request = ScriptedOrigin.Request(
            method: words.first.map(String.init) ?? "", target: words.dropFirst().first.map(String.init) ?? "",
            fields: fields, body: [], connection: number)
        let length = request["Content-Length"].flatMap { Int($0) } ?? 0
        while pending.count < end + length {
            guard readMore() else { return nil }
        }
        request.body = Array(pending[end..<end + length])
        pending.removeFirst(end + length)
        return request
    }

    /// Does the step and says whether the connection goes on.
    mutating func perform(_ step: ScriptedOrigin.Step) -> Bool {
        switch step {
        case .reply(let status, let fields, let body):
            return write(Self.head(status, fields, length: body.utf8.count) + body)
        case .raw(let text):
            return write(text)
        case .cutShort(let count, let body):
            let start = String(decoding: body.utf8.prefix(count), as: UTF8.self)
            _ = write(Self.head(200, [], length: body.utf8.count) + start)
            return false
        case .stallAfterHead(let body):
            return write(Self.head(200, [], length: body.utf8.count)) && perform(.stall)
        case .trickle(let body, let bytes, let milliseconds):
            return write(Self.head(200, [], length: body.utf8.count)) && trickle(Array(body.utf8), bytes, milliseconds)
        case .stall:
            while readMore() {}
            return false
        case .close:
            return false
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
            return false
        case .sequence(let steps):
            return steps.allSatisfy { perform($0) }
        }
    }

    private static func head(_ status: Int, _ fields: [(String, String)], length: Int) -> String {
        var lines = ["HTTP/1.1 \(status) Scripted"] + fields.map { "\($0.0): \($0.1)" }
        let names = fields.map { $0.0.lowercased() }
        if !names.contains("content-length"), !names.contains("transfer-encoding") {
            lines.append("Content-Length: \(length)")
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    private func trickle(_ body: [UInt8], _ bytes: Int, _ milliseconds: Int32) -> Bool {
        for start in stride(from: 0, to: body.count, by: max(1, bytes)) {
            guard send(body[start..<min(start + bytes, body.count)]) else { return false }
            // The pause ends with the connection: 0x2000 is POLLRDHUP, which Glibc hides from Swift.
            var watch = pollfd(fd: socket, events: 0x2000, revents: 0)
            guard poll(&watch, 1, milliseconds) == 0 else { return false }
        }
        return true
    }

    private mutating func readMore() -> Bool {
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(socket, &piece, piece.count, 0)
        guard count > 0 else { return count < 0 && errno == EINTR }
        pending += piece[..<count]
        return true
    }

    private func write(_ text: String) -> Bool {
        send(Array(text.utf8)[...])
    }

    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count >= 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }
}

extension [UInt8] {
    /// What follows the empty line of a head.
    fileprivate var headEnd: Int? {
        guard count >= 4 else { return nil }
        return (4...count).first { Array(self[$0 - 4..<$0]) == [13, 10, 13, 10] }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

// MARK: Sockets and threads

/// A lock with which one can wait for a condition.
private final class Monitor {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    func change<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(changed)
            pthread_mutex_unlock(mutex)
        }
        return body()
    }

    /// Whether the condition came true within that time.
    func wait(seconds: Int, until condition: () -> Bool) -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        end.tv_sec += seconds
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !condition() {
            guard pthread_cond_timedwait(changed, mutex, &end) == 0 else { return condition() }
        }
        return true
    }
}

private struct SocketError: Error {
    let code = errno
}

/// A listening socket on a free loopback port.
private func listenOnLoopback() throws -> (socket: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw SocketError() }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    var size = socklen_t(MemoryLayout.size(ofValue: address))
    let isBound = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, size) == 0 && listen(descriptor, 512) == 0 && getsockname(descriptor, $0, &size) == 0
        }
    }
    guard isBound else {
        defer { close(descriptor) }
        throw SocketError()
    }
    return (descriptor, UInt16(bigEndian: address.sin_port))
}

/// Runs `body` on a thread of its own.
func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { box in
            guard let box else { return nil }
            Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    if code == 0 { pthread_detach(thread) }
}
