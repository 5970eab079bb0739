@testable import Upstream

/// What must hold of the collector of replies whatever an origin sends. The fuzzer and the tests ask this of every input.
enum ReplyCheck {
    static let maxBodyBytes = 64

    /// What is wrong; nothing if all is well.
    ///
    /// - Parameter input: heads by lines, as libcurl hands them over, up to the empty line that ends the final one; then the
    ///   body, which comes in pieces that are as long as the byte before each says.
    static func fault(_ input: [UInt8]) -> String? {
        var collector = CurlReplyCollector(maxBodyBytes: maxBodyBytes, mayBeHTTP2: true)
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

    private static func ofReply(_ collector: CurlReplyCollector, _ head: FinalHead, _ body: [UInt8]) -> String? {
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
            head.isHTTP2 || !head.lengths.isEmpty || !head.codings.isEmpty || [204, 304].contains(head.status)
        guard reply.hasDeterminedLength == isDetermined else { return "the length is determined: \(isDetermined)" }
        let kept = head.fields.filter { CurlReplyCollector.kept.contains($0.name) }
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

        private static func trimmed(_ line: [UInt8]) -> [UInt8] {
            let isSpace = { (byte: UInt8) in byte == 0x20 || (9...13).contains(byte) }
            return Array(Array(line.drop(while: isSpace)).reversed().drop(while: isSpace).reversed())
        }
    }
}
