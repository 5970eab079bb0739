@testable import HTTPFront

extension DecoderCheck {
    /// A request as the decoder understood it.
    struct Request: Equatable {
        /// Where in the stream it lies.
        var place: Range<Int>
        var method: RequestHead.Method
        /// The bytes of the method's name.
        var methodLength: Int
        var path: String
        var authority: String?
        var isHTTP11: Bool
        var fields: [String]
        var content: [UInt8]
        var keepsConnection: Bool

        init(_ head: borrowing RequestHead, _ stream: [UInt8], at place: Range<Int>) {
            let bytes = Array(stream[place])
            func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
            self.place = place
            method = head.method
            methodLength = bytes.firstIndex(of: UInt8(ascii: " ")) ?? 0
            path = text(head.path)
            authority = head.authority.map(text)
            isHTTP11 = head.isHTTP11
            fields = head.fields.map { SecondOpinion.line(text($0.name), text($0.value)) }
            switch head.framing {
            case .length(let length): content = Array(bytes.suffix(length))
            case .chunked:
                content = []
                var chunks: [Range<Int>] = []
                ChunkedContent.forEachChunk(bytes.span, from: head.length) { chunks.append($0) }
                for chunk in chunks { content += bytes[chunk] }
            }
            keepsConnection = head.keepsConnection
        }

        /// The bytes that llhttp is shown: it knows a list of methods, the decoder any token (RFC 9110, section 9.1), so one
        /// that no route knows is shown as PUT.
        func shown(of stream: [UInt8]) -> ArraySlice<UInt8> {
            guard method == .other else { return stream[place] }
            return "PUT".utf8 + stream[place].dropFirst(methodLength)
        }

        /// Whether another protocol may follow for who speaks it (RFC 9110, section 7.8).
        var offersUpgrade: Bool { fields.contains { $0.lowercased().hasPrefix("upgrade:") } }

        /// What llhttp understood differently.
        func difference(_ other: SecondOpinion.Request) -> String? {
            let methods: [RequestHead.Method: String] = [.get: "GET", .head: "HEAD", .post: "POST", .other: "PUT"]
            guard methods[method] == other.method else { return "method \(method), for llhttp \(other.method)" }
            guard isHTTP11 == other.isHTTP11 else { return "another version for llhttp: \(other)" }
            guard targetEquals(other.target) else { return "target \(path) of \(authority ?? "none"): \(other.target)" }
            guard fields == other.fields else { return "fields \(fields), for llhttp \(other.fields)" }
            guard content == other.content else { return "content \(content), for llhttp \(other.content)" }
            // To close where another would go on is always safe: what follows is looked at by nobody.
            guard other.keepsConnection || !keepsConnection else { return "kept, and closed by llhttp: \(self)" }
            return nil
        }

        /// Path and authority are those of the target (RFC 9112, section 3.2).
        private func targetEquals(_ target: String) -> Bool {
            guard let authority else { return target == path }
            for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
                let rest = target.dropFirst(scheme.count)
                guard rest.hasPrefix(authority) else { continue }
                let path = rest.dropFirst(authority.count)
                return path.hasPrefix("/") ? path == self.path : self.path == "/"
            }
            return false
        }
    }
}
