import Glibc

/// An HTTP/1.1 origin on a free loopback port that does to each request what the test says, faults included, and keeps
/// a record of what it saw. It is made of blocking sockets with a thread each, so that no library's manners get in the
/// way.
///
///     let origin = try ScriptedOrigin { request, index in .reply(body: "{}") }
///     defer { origin.stop() }
///
/// It has to be stopped; what stalls does so until then, or until the client goes.
package final class ScriptedOrigin: @unchecked Sendable {
    // `@unchecked` because: the state is touched only under `monitor`; the rest does not change.

    package struct Request: Sendable {
        package var method: String
        package var target: String
        /// In their order, names as they came.
        package var fields: [(name: String, value: String)]
        package var body: [UInt8]
        /// Which connection it came over, counted from 0.
        package var connection: Int

        /// The value of the first field of this name, in any case.
        package subscript(name: String) -> String? {
            fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    package indirect enum Step: Sendable {
        /// A whole reply, the connection kept. `Content-Length` is added unless `fields` frame the body themselves.
        case reply(status: Int = 200, fields: [(String, String)] = [], body: String = "")
        /// These bytes as they are, the connection kept.
        case raw(String)
        case bytes([UInt8])
        /// The first bytes of a text, and then the end of the connection, by a reset or in order.
        case cut(after: Int, of: String, byReset: Bool)
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
        /// Something that the test does in the meantime.
        case run(@Sendable () -> Void)
        /// Speaks HTTP/2 from the beginning, and does this to the request of a stream; the number counts the requests of all
        /// connections from 0. Only for `onAccept`.
        case http2(@Sendable (_ stream: UInt32, Request, Int) -> Step)
    }

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: Set<Int32> = []
        /// Threads that still run, the accepting one included.
        var threads = 0
        var isStopped = false
    }

    package let port: UInt16
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
    package init(
        isIPv6: Bool = false, onAccept: @escaping @Sendable (Int) -> Step? = { _ in nil },
        script: @escaping @Sendable (Request, Int) -> Step
    ) throws {
        (listener, port) = try listenOnLoopback(isIPv6: isIPv6)
        self.onAccept = onAccept
        self.script = script
        spawn { origin in origin.acceptAll() }
    }

    /// `http://127.0.0.1:port/`
    package var url: String { "http://127.0.0.1:\(port)/" }

    /// Ends all connections and returns when the last thread is done.
    package func stop() {
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
    package var requests: [Request] { monitor.change { state.requests } }
    /// How many connections were ever accepted.
    package var connectionCount: Int { monitor.change { state.connections } }
    /// How many are open now.
    package var openConnectionCount: Int { monitor.change { state.open.count } }

    /// Returns true as soon as so many requests have been read, and false if that takes longer than `seconds`.
    package func waitForRequests(_ count: Int, seconds: Int = 10) -> Bool {
        monitor.wait(seconds: seconds) { state.requests.count >= count }
    }

    /// Returns true as soon as at most so many connections are open, and false if that takes longer than `seconds`.
    package func waitForOpenConnections(atMost count: Int, seconds: Int = 10) -> Bool {
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

    /// Keeps a request for the record and gives its number.
    private func note(_ request: Request) -> Int {
        monitor.change {
            state.requests.append(request)
            return state.requests.count - 1
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
            // What is written is on its way, whatever of it has been acknowledged.
            var on: Int32 = 1
            setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout.size(ofValue: on)))
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
            spawn { origin in origin.serve(ScriptedConnection(socket: socket, number: number)) }
        }
    }

    private func serve(_ connection: ScriptedConnection) {
        var connection = connection
        let first = onAccept(connection.number)
        if case .http2(let script) = first {
            connection.serveHTTP2 { stream, request in script(stream, request, note(request)) }
        } else {
            var isOpen = first.map { connection.perform($0) } ?? true
            while isOpen, let request = connection.readRequest() {
                isOpen = connection.perform(script(request, note(request)))
            }
        }
        // Closed under the lock: its number may be another socket's right after, which `stop` must not touch.
        monitor.change {
            state.open.remove(connection.socket)
            close(connection.socket)
        }
    }
}
