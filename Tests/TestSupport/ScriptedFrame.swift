import Glibc

/// The few frames of HTTP/2 that tests need (RFC 9113, section 6).
package enum ScriptedFrame {
    package static func settings(acknowledges: Bool = false) -> [UInt8] {
        frame(type: 4, flags: acknowledges ? 1 : 0, stream: 0)
    }

    /// A status, and a length if one is given.
    package static func head(_ status: Int, length: Int? = nil, stream: UInt32, ends: Bool = false) -> [UInt8] {
        let fields = field(8, "\(status)") + (length.map { field(28, "\($0)") } ?? [])
        return frame(type: 1, flags: ends ? 5 : 4, stream: stream, fields)
    }

    /// The fields that come after the content.
    package static func trailers(_ fields: [(name: String, value: String)], stream: UInt32) -> [UInt8] {
        frame(type: 1, flags: 5, stream: stream, fields.flatMap { [0] + text($0.name) + text($0.value) })
    }

    /// A literal field whose name is one of the static table, up to number 30 (RFC 7541, section 6.2.2).
    private static func field(_ name: UInt8, _ value: String) -> [UInt8] {
        (name < 15 ? [name] : [15, name - 15]) + text(value)
    }

    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }

    package static func data(_ text: String, stream: UInt32, ends: Bool = true) -> [UInt8] {
        frame(type: 0, flags: ends ? 1 : 0, stream: stream, Array(text.utf8))
    }

    /// Ends a stream: 0 NO_ERROR, 1 PROTOCOL_ERROR, 2 INTERNAL_ERROR, 7 REFUSED_STREAM, 8 CANCEL.
    package static func reset(stream: UInt32, _ code: UInt32) -> [UInt8] {
        frame(type: 3, flags: 0, stream: stream, word(code))
    }

    /// The connection ends; streams above `last` were not looked at.
    package static func goAway(last: UInt32, _ code: UInt32 = 0) -> [UInt8] {
        frame(type: 7, flags: 0, stream: 0, word(last) + word(code))
    }

    package static func reply(_ text: String, stream: UInt32) -> [UInt8] {
        head(200, stream: stream) + data(text, stream: stream)
    }

    package static func frame(type: UInt8, flags: UInt8, stream: UInt32, _ payload: [UInt8] = []) -> [UInt8] {
        word(UInt32(payload.count)).dropFirst() + [type, flags] + word(stream) + payload
    }

    private static func word(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

extension ScriptedConnection {
    /// Reads frames to the end of the connection, and does to each whole request what `script` says.
    mutating func serveHTTP2(_ script: (_ stream: UInt32, ScriptedOrigin.Request) -> ScriptedOrigin.Step) {
        guard take(24) != nil, send(ScriptedFrame.settings()[...]) else { return }
        var bodies: [UInt32: [UInt8]] = [:]
        while let head = take(9) {
            let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
            let stream = head[5...8].reduce(0) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
            guard let payload = take(length) else { return }
            switch head[3] {
            case 0: bodies[stream, default: []] += payload
            case 4 where head[4] & 1 == 0: guard send(ScriptedFrame.settings(acknowledges: true)[...]) else { return }
            default: break
            }
            guard head[3] < 2, head[4] & 1 == 1 else { continue }
            let request = ScriptedOrigin.Request(
                method: "POST", target: "/", fields: [], body: bodies.removeValue(forKey: stream) ?? [],
                connection: number)
            guard perform(script(stream, request)) else { return }
        }
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        while pending.count < count { guard readMore() else { return nil } }
        defer { pending.removeFirst(count) }
        return Array(pending.prefix(count))
    }
}
