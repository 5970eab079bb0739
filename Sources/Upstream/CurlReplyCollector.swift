/// Gathers one reply from the lines and pieces that libcurl hands over, within bounds.
///
/// It reads what decides about the body's end more strictly than libcurl does: what one of the two could read otherwise
/// is refused (RFC 9112 sections 5.2 and 6.3).
struct CurlReplyCollector {
    /// The fields that a reply keeps; the others are nobody's concern and cost memory.
    static let kept = [
        "content-type", "content-encoding", "content-length", "date", "retry-after", "x-amz-retry-after",
        "x-amzn-errortype", "x-amzn-requestid", "x-amz-request-id",
    ]

    /// A bit for the length of each of them, so that most others are not compared with any.
    private static let keptLengths = kept.reduce(0 as UInt64) { $0 | 1 << UInt64(min($1.utf8.count, 63)) }

    /// For all heads and trailers of a reply together, so that an endless row of 1xx replies ends too.
    static let maxHeadBytes = 64 * 1024

    /// What the next line is.
    private enum Part {
        case statusLine
        case fields
        /// The final head is over: lines are trailers now, and say nothing about the reply.
        case body
    }

    /// What a reply came over.
    enum Version {
        case http1
        case http2
    }

    private let maxBodyBytes: Int
    private let mayBeHTTP2: Bool
    private var part = Part.statusLine
    private var headBytes = 0
    private var status = 0
    private var fields: [CurlReply.Field] = []
    private var body: [UInt8] = []
    private var length: Int?
    private var isChunked = false

    /// What the status line says; nothing if none has come.
    private(set) var version: Version?
    /// Why it refused to take more.
    private(set) var fault: CurlError?

    /// - Parameter mayBeHTTP2: whether libcurl may have agreed on HTTP/2.
    init(maxBodyBytes: Int, mayBeHTTP2: Bool = false) {
        self.maxBodyBytes = max(0, maxBodyBytes)
        self.mayBeHTTP2 = mayBeHTTP2
    }

    /// Whether the final head has come to its end.
    var hasHead: Bool { part == .body }

    /// The reply, if it has the status that libcurl saw.
    consuming func reply(status seen: Int) -> CurlReply? {
        guard part == .body, status == seen, (200...599).contains(status) else { return nil }
        let hasNoBody = status == 204 || status == 304
        return CurlReply(
            status: status, fields: fields, body: body,
            hasDeterminedLength: version == .http2 || isChunked || length != nil || hasNoBody)
    }
}

// MARK: Taking

extension CurlReplyCollector {
    /// Takes a piece of the body; false ends the transfer.
    mutating func takeBody(_ bytes: Span<UInt8>) -> Bool {
        guard fault == nil, bytes.count <= maxBodyBytes - body.count else { return refuse(.replyTooLarge) }
        // Not the whole of a large announced length: it costs nothing to announce one.
        if body.isEmpty, let length { body.reserveCapacity(min(length, 256 * 1024)) }
        unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
        return true
    }

    /// Takes a line of a head, its line end included; false ends the transfer.
    mutating func takeLine(_ line: Span<UInt8>) -> Bool {
        headBytes += line.count
        guard fault == nil, headBytes <= Self.maxHeadBytes else { return refuse(.headTooLarge) }
        let text = line.trimmed(line.indices)
        switch part {
        case .statusLine:
            return takeStatus(line)
        case .fields:
            guard !text.isEmpty else { return endHead() }
            return takeField(line, in: text)
        case .body:
            return true
        }
    }

    /// A new head: what an interim (1xx) reply said is forgotten.
    private mutating func takeStatus(_ line: Span<UInt8>) -> Bool {
        guard line.count >= 12, line.hasPrefix("http/"), let space = line.firstIndex(of: UInt8(ascii: " "), from: 5)
        else {
            return refuse(.badReply)
        }
        guard space + 4 <= line.count, let code = line.decimal(space + 1..<space + 4) else { return refuse(.badReply) }
        if line[5] == UInt8(ascii: "2") {
            // libcurl's own words, without a minor version and a reason. An origin's are another thing.
            guard mayBeHTTP2, line.count == 13, line.hasPrefix("http/2 "), line[10] == UInt8(ascii: " ") else {
                return refuse(.badReply)
            }
            version = .http2
        } else {
            version = .http1
        }
        status = code
        fields = []
        length = nil
        isChunked = false
        part = .fields
        return true
    }

    private mutating func endHead() -> Bool {
        part = status < 200 ? .statusLine : .body
        // An answer to a request to change protocols, which is never made; libcurl would take what follows for a body.
        if status == 101 { return refuse(.badReply) }
        // RFC 9112 section 6.3: both together "ought to be handled as an error".
        if isChunked, length != nil { return refuse(.badReply) }
        if let length, length > maxBodyBytes { return refuse(.replyTooLarge) }
        return true
    }

    private mutating func takeField(_ line: Span<UInt8>, in text: Range<Int>) -> Bool {
        // A line that begins with white space continues the one before: RFC 9112 section 5.2 lets a gateway refuse it.
        guard text.lowerBound == 0, let colon = line.firstIndex(of: UInt8(ascii: ":"), from: 0) else {
            return refuse(.badReply)
        }
        let value = line.trimmed(colon + 1..<text.upperBound)
        if line.equals("content-length", in: 0..<colon) {
            // libcurl would take "5x" for 5, and the last of several.
            guard length == nil, let count = line.decimal(value) else { return refuse(.badReply) }
            length = count
        } else if line.equals("transfer-encoding", in: 0..<colon) {
            // No other coding was asked for (RFC 9112 section 7.4), and only as the last one would it mark the end.
            guard !isChunked, line.equals("chunked", in: value) else { return refuse(.badReply) }
            isChunked = true
        }
        guard Self.keptLengths & (1 << UInt64(min(colon, 63))) != 0 else { return true }
        for name in Self.kept where line.equals(name, in: 0..<colon) {
            fields.append(.init(name: name, value: line.text(value)))
        }
        return true
    }

    private mutating func refuse(_ error: CurlError) -> Bool {
        if fault == nil { fault = error }
        return false
    }
}
