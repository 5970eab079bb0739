@testable import OriginClient

/// What must hold of the collector of replies whatever an origin sends. The fuzzer and the tests ask this of every input.
enum ReplyCheck {
    static let maxBodyBytes = 64
    private static let kept = [
        "content-type", "content-encoding", "date", "retry-after", "x-amz-retry-after", "x-amzn-errortype",
        "x-amzn-query-error", "x-amzn-requestid", "x-amz-request-id",
    ]
    private static let keptFields = KeptFields(kept)

    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: heads by lines, as libcurl hands them over, up to the empty line that ends the final one; then the
    ///   body, which comes in pieces that are as long as the byte before each says.
    static func fault(_ input: [UInt8]) -> String? {
        var collector = ReplyCollector(maxBodyBytes: maxBodyBytes, keeping: keptFields, mayBeHTTP2: true)
        var lines: [[UInt8]] = []
        var body: [UInt8] = []
        var rest = input[...]
        var isTaken = true
        while isTaken, !rest.isEmpty {
            if collector.hasHead {
                let piece = Array(rest.dropFirst().prefix(Int(rest[rest.startIndex])))
                rest = rest.dropFirst(piece.count + 1)
                isTaken = collector.takeBody(piece.span)
                if isTaken { body += piece }
            } else {
                let line = Array(rest.prefix { $0 != 0x0a } + [0x0a])
                rest = rest.dropFirst(line.count)
                isTaken = collector.takeLine(line.span)
                lines.append(line)
            }
        }
        guard isTaken == (collector.fault == nil) else { return "taken with a fault, or refused without one" }
        guard isTaken else {
            let none: [UInt8] = []
            return collector.takeBody(none.span) ? "taken after it was refused" : nil
        }
        guard body.count <= maxBodyBytes else { return "\(body.count) bytes of body" }
        guard collector.hasHead else { return collector.reply(status: 200) == nil ? nil : "a reply without a head" }
        return ofReply(collector, FinalHead(lines), body)
    }

    // MARK: In pieces

    /// What came of a reply that arrived over a connection, which ended after it.
    private struct Reading: Equatable {
        var body: [UInt8]?
        var status = 0
        var fault: CurlError?
        var isWhole = false

        init(_ pieces: [ArraySlice<UInt8>]) {
            var collector = ReplyCollector(maxBodyBytes: ReplyCheck.maxBodyBytes)
            var reader = ReplyReader()
            for piece in pieces {
                let bytes = Array(piece)
                switch reader.take(bytes.span, into: &collector) {
                case .more: continue
                case .done: isWhole = true
                case .refused: fault = collector.fault ?? .driverFault
                }
                break
            }
            if !isWhole, fault == nil { isWhole = reader.end() }
            guard isWhole, let reply = collector.reply(status: nil) else { return }
            (body, status) = (reply.body, reply.status)
        }
    }

    /// What is wrong with how a reply is found in the bytes of a connection; nothing if all is well.
    ///
    /// - Parameter input: one byte that says where the bytes are cut, then the bytes.
    static func faultInPieces(_ input: [UInt8]) -> String? {
        guard let first = input.first else { return nil }
        let bytes = input.dropFirst()
        let cut = bytes.startIndex + (bytes.isEmpty ? 0 : Int(first) % bytes.count)
        let whole = Reading([bytes])
        guard whole == Reading([bytes[..<cut], bytes[cut...]]) else { return "another reply when cut at \(cut)" }
        guard whole == Reading(bytes.indices.map { bytes[$0...$0] }) else { return "another reply byte by byte" }
        guard whole.isWhole else { return whole.body == nil ? nil : "a reply that is not whole" }
        guard let body = whole.body else { return nil }
        guard let simple = simpleBody(Array(bytes)) else { return "a simpler reader finds no reply" }
        return simple == body ? nil : "a simpler reader finds another body: \(simple)"
    }

    /// The body of the reply that the bytes begin with, found by splitting copies of them.
    private static func simpleBody(_ bytes: [UInt8]) -> [UInt8]? {
        var rest = bytes[...]
        func line() -> [UInt8]? {
            guard let end = rest.firstIndex(of: 0x0a) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return Array(rest[...end])
        }
        var head: FinalHead
        repeat {
            var lines: [[UInt8]] = []
            repeat {
                guard let next = line() else { return nil }
                lines.append(next)
            } while !FinalHead.trimmed(lines[lines.count - 1]).isEmpty
            head = FinalHead(lines)
        } while head.status < 200
        if [204, 304].contains(head.status) { return [] }
        if let length = head.lengths.first.flatMap({ Int($0) }) {
            return rest.count < length ? nil : Array(rest.prefix(length))
        }
        guard !head.codings.isEmpty else { return Array(rest) }
        var body: [UInt8] = []
        while true {
            guard let text = line().map({ String(decoding: $0, as: UTF8.self) }) else { return nil }
            guard let size = Int(text.prefix { $0.isHexDigit }, radix: 16), rest.count >= size else { return nil }
            if size == 0 { break }
            body += rest.prefix(size)
            rest = rest.dropFirst(size)
            guard let end = line(), FinalHead.trimmed(end).isEmpty else { return nil }
        }
        // Whatever trailers say, they are no part of it.
        return body
    }

    private static func ofReply(_ collector: ReplyCollector, _ head: FinalHead, _ body: [UInt8]) -> String? {
        guard let reply = collector.reply(status: head.status) else {
            return (200...599).contains(head.status) ? "no reply of status \(head.status)" : nil
        }
        guard reply.body == body else { return "another body" }
        guard head.lengths.count + head.codings.count <= 1 else { return "framed in two ways: \(head)" }
        if let length = head.lengths.first {
            guard let count = Int(length), "\(count)".count <= length.count, count <= maxBodyBytes else {
                return "the length '\(length)' was accepted"
            }
        }
        if let coding = head.codings.first, coding.lowercased() != "chunked" { return "the coding '\(coding)'" }
        let isDetermined =
            head.isHTTP2 && !body.isEmpty || !head.lengths.isEmpty || !head.codings.isEmpty
            || [204, 304].contains(head.status)
        guard reply.hasDeterminedLength == isDetermined else { return "the length is determined: \(isDetermined)" }
        let kept = head.fields.filter { Self.kept.contains($0.name) }
        guard reply.fields.map(\.name) == kept.map(\.name), reply.fields.map(\.value) == kept.map(\.value) else {
            return "fields \(reply.fields), not \(kept)"
        }
        return nil
    }

    /// The final head of several, read by splitting copies of its lines.
    private struct FinalHead {
        var status = 0
        var isHTTP2 = false
        var fields: [(name: String, value: String)] = []
        var lengths: [String] { fields.filter { $0.name == "content-length" }.map(\.value) }
        var codings: [String] { fields.filter { $0.name == "transfer-encoding" }.map(\.value) }

        init(_ lines: [[UInt8]]) {
            let heads = lines.map(Self.trimmed).split(separator: [])
            guard let head = heads.last, let first = head.first else { return }
            let words = first.split(separator: 0x20, omittingEmptySubsequences: false)
            status = words.count > 1 ? Int(String(decoding: words[1].prefix(3), as: UTF8.self)) ?? 0 : 0
            isHTTP2 = first.dropFirst(5).first == UInt8(ascii: "2")
            fields = head.dropFirst().map { line in
                let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
                let name = String(decoding: line[..<colon], as: UTF8.self)
                let value = Self.trimmed(Array(line[colon...].dropFirst()))
                return (name.allSatisfy(\.isASCII) ? name.lowercased() : name, String(decoding: value, as: UTF8.self))
            }
        }

        static func trimmed(_ line: [UInt8]) -> [UInt8] {
            let isSpace = { (byte: UInt8) in byte == 0x20 || (9...13).contains(byte) }
            return Array(Array(line.drop(while: isSpace)).reversed().drop(while: isSpace).reversed())
        }
    }
}
