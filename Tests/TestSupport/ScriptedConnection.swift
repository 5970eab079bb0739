import Glibc

/// One connection to a scripted origin.
package struct ScriptedConnection: Sendable {
    package let socket: Int32
    package let number: Int
    /// Read and not yet used.
    package var pending: [UInt8] = []

    package init(socket: Int32, number: Int) {
        self.socket = socket
        self.number = number
    }

    /// The next request, or nil at the end of the connection. It frames by `Content-Length` alone.
    package mutating func readRequest() -> ScriptedOrigin.Request? {
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
    package mutating func perform(_ step: ScriptedOrigin.Step) -> Bool {
        switch step {
        case .reply(let status, let fields, let body):
            return write(Self.head(status, fields, length: body.utf8.count) + body)
        case .raw(let text):
            return write(text)
        case .bytes(let bytes):
            return send(bytes[...])
        case .cut(let count, let text, let byReset):
            _ = send(Array(text.utf8).prefix(count))
            return byReset ? perform(.reset) : false
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
        case .run(let body):
            body()
            return true
        case .http2:
            return false
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

    mutating func readMore() -> Bool {
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        let count = recv(socket, &piece, piece.count, 0)
        guard count > 0 else { return count < 0 && errno == EINTR }
        pending += piece[..<count]
        return true
    }

    private func write(_ text: String) -> Bool {
        send(Array(text.utf8)[...])
    }

    package func send(_ bytes: ArraySlice<UInt8>) -> Bool {
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
        // A loop, and the rarest byte first: tests that make thousands of requests spend their time here.
        var end = 3
        while end < count {
            if self[end] == 10, self[end - 1] == 13, self[end - 2] == 10, self[end - 3] == 13 { return end + 1 }
            end += 1
        }
        return nil
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
