internal import Primitives
internal import Streams

/// Gathers one reply from its lines and the pieces of its body, within bounds.
///
/// It reads the fields that decide about the body's end more strictly than libcurl does: what two readers could read differently is
/// refused (RFC 9112 sections 5.2 and 6.3).
struct ReplyCollector {
    private static let contentLength = Array("content-length".utf8)
    private static let transferEncoding = Array("transfer-encoding".utf8)
    private static let connection = Array("connection".utf8)

    /// For all heads and trailers of a reply together, so that an endless row of 1xx replies ends too.
    static let maxHeadBytes = 64 * 1024

    private enum Part {
        case statusLine
        case fields
        /// The final head is over: lines are trailers now, and say nothing about the reply.
        case body
    }

    /// The version of HTTP that a reply came over.
    enum Version {
        case http1
        case http2
    }

    /// How the end of a body is marked (RFC 9112 section 6.3).
    enum Framing: Equatable {
        /// There is no body.
        case none
        case length(Int)
        case chunked
        /// By the end of the connection.
        case unbounded
    }

    private let maxBodyBytes: Int
    private let keptFields: KeptFields
    private let mayBeHTTP2: Bool
    private let streams: StreamRule?
    private var part = Part.statusLine
    private var headBytes = 0
    private var status = 0
    private var fields: [CurlReply.Field] = []
    private var body: [UInt8] = []
    private var length: Int?
    private var isChunked = false
    /// If the connection persists, by version and fields (RFC 9112 section 9.3); `close` overrides the rest.
    private var persists = false
    private var isClosed = false
    private var isHTTP10 = false

    /// The body while it is passed on; nil if it is collected, or the head has not come.
    private var stream: ReplyStream?

    /// The version in the status line; nil until that has come.
    private(set) var version: Version?
    /// Why it refused to take more.
    private(set) var fault: CurlError?

    /// - Parameters:
    ///   - keptFields: the fields that the reply keeps.
    ///   - mayBeHTTP2: true if libcurl may have agreed on HTTP/2.
    ///   - streams: which replies are passed on as they come.
    init(
        maxBodyBytes: Int, keeping keptFields: KeptFields = .none, mayBeHTTP2: Bool = false, streams: StreamRule? = nil
    ) {
        self.maxBodyBytes = max(0, maxBodyBytes)
        self.keptFields = keptFields
        self.mayBeHTTP2 = mayBeHTTP2
        self.streams = streams
    }

    var hasHead: Bool { part == .body }

    /// True if another request may follow on the connection. False after a reply that announces a body but must not have one: the
    /// origin may send it all the same.
    var keepsConnection: Bool {
        persists && !isClosed && (framing != .none || !isChunked && (length ?? 0) == 0)
    }

    /// How the body ends; valid once `hasHead` is true.
    var framing: Framing {
        if status == 204 || status == 304 { return .none }
        if isChunked { return .chunked }
        return if let length { .length(length) } else { .unbounded }
    }

    /// Where the body goes if it is passed on.
    var output: PipeWriter? { stream?.writer }

    /// True if the body's reader must take some of it before more may come.
    var isHeldUp: Bool { stream?.writer.awaitsRoom() ?? false }

    /// Takes out the head of a reply whose body is passed on, and the body's other end: once, and only after the head has come.
    ///
    /// - Parameter id: that of the attempt.
    mutating func takeBegun(id: UInt64) -> BegunReply? {
        guard let body = stream?.takeReader() else { return nil }
        let head = CurlReply(
            status: status, fields: fields, body: [], hasDeterminedLength: framing != .unbounded || version == .http2)
        return BegunReply(id: id, head: head, body: body)
    }

    /// The reply; nil if it is not complete or has no valid status.
    ///
    /// - Parameter seen: the status that libcurl has read; nil if it has not read the reply.
    consuming func reply(status seen: Int?) -> CurlReply? {
        guard part == .body, status == seen ?? status, (200...599).contains(status) else { return nil }
        // A stream's end marks the end of its content, but libcurl also takes a reset with NO_ERROR for it (RFC 9113 section 8.1).
        return CurlReply(
            status: status, fields: fields, body: body,
            hasDeterminedLength: framing != .unbounded || version == .http2 && !body.isEmpty)
    }
}

// MARK: Taking

extension ReplyCollector {
    /// Takes a piece of the body; false ends the transfer.
    mutating func takeBody(_ bytes: Span<UInt8>) -> Bool {
        if let stream {
            stream.writer.write(bytes)
            return fault == nil
        }
        guard fault == nil, bytes.count <= maxBodyBytes - body.count else { return refuse(.replyTooLarge) }
        // Not all of a large announced length: an origin can announce any.
        if body.isEmpty, let length { body.reserveCapacity(min(length, 256 * 1024)) }
        unsafe bytes.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
        return true
    }

    /// Takes a line of a head, its line end included; false ends the transfer.
    mutating func takeLine(_ line: Span<UInt8>) -> Bool {
        headBytes += line.count
        guard fault == nil, headBytes <= Self.maxHeadBytes else { return refuse(.headTooLarge) }
        // RFC 9110 section 5.5: CR, LF and NUL are dangerous, and no other control belongs there either.
        guard let end = line.endOfText else { return refuse(.badReply) }
        switch part {
        case .statusLine: return takeStatus(line)
        case .fields: return end == 0 ? endHead() : takeField(line, to: end)
        // No trailer is kept.
        case .body: return end == 0 || line.fieldName(to: end) != nil || refuse(.badReply)
        }
    }

    /// Returns true if the beginning of a line is one of the expected line; otherwise the reply is refused.
    mutating func mayGoOn(with start: Span<UInt8>) -> Bool {
        guard part == .statusLine, !start.extracting(0..<min(start.count, 5)).begins("HTTP/") else { return true }
        return refuse(.badReply)
    }

    /// Begins a new head, and forgets that of an interim (1xx) reply.
    private mutating func takeStatus(_ line: Span<UInt8>) -> Bool {
        guard line.count >= 12, line.extracting(0..<5).begins("HTTP/"),
            let space = line.firstIndex(of: UInt8(ascii: " "), from: 5)
        else {
            return refuse(.badReply)
        }
        guard space + 4 <= line.count, let code = line.number(space + 1..<space + 4) else { return refuse(.badReply) }
        if line[5] == UInt8(ascii: "2") {
            // libcurl writes this line itself, without minor version and reason. An origin's status line has both.
            guard mayBeHTTP2, line.count == 13, line.hasPrefix("http/2 "), line[10] == UInt8(ascii: " ") else {
                return refuse(.badReply)
            }
            version = .http2
            persists = true
        } else {
            guard space == 8, line[5] == UInt8(ascii: "1"), line[6] == UInt8(ascii: "."),
                line[7] == UInt8(ascii: "0") || line[7] == UInt8(ascii: "1"),
                line.count == 12 || line[12].isSpace
            else { return refuse(.badReply) }
            version = .http1
            isHTTP10 = line[7] == UInt8(ascii: "0")
            persists = !isHTTP10
        }
        status = Int(code)
        fields = []
        length = nil
        isChunked = false
        isClosed = false
        part = .fields
        return true
    }

    private mutating func endHead() -> Bool {
        part = status < 200 ? .statusLine : .body
        // 101 answers a request to switch protocols, which is never made; libcurl would take what follows for a body.
        if status == 101 { return refuse(.badReply) }
        // RFC 9112 section 6.1: HTTP/1.0 does not know chunks, so an intermediary may have seen another end.
        if isChunked, isHTTP10 { isClosed = true }
        // RFC 9112 section 6.3: both together "ought to be handled as an error".
        if isChunked, length != nil { return refuse(.badReply) }
        if part == .body, framing != .none, streams?.applies(status: status, fields: fields) == true {
            stream = ReplyStream()
            return true
        }
        if let length, length > maxBodyBytes { return refuse(.replyTooLarge) }
        return true
    }

    private mutating func takeField(_ line: Span<UInt8>, to end: Int) -> Bool {
        // A line that begins with white space continues the one before; RFC 9112 section 5.2 lets a gateway refuse it. Readers differ
        // on which field a line with white space before its colon is (section 5.1).
        guard let colon = line.fieldName(to: end) else { return refuse(.badReply) }
        let value = line.trimmed(colon + 1..<end)
        switch colon {
        case Self.contentLength.count where line.equals(Self.contentLength, at: 0):
            // libcurl would take "5x" for 5, and the last of several.
            guard length == nil, let count = line.number(value) else { return refuse(.badReply) }
            length = Int(count)
        case Self.transferEncoding.count where line.equals(Self.transferEncoding, at: 0):
            // No other coding was asked for (RFC 9112 section 7.4), and only as the last one would it mark the end.
            guard !isChunked, line.equals("chunked", in: value) else { return refuse(.badReply) }
            isChunked = true
        case Self.connection.count where line.equals(Self.connection, at: 0):
            takeConnection(line, in: value)
        default: break
        }
        for field in keptFields[length: colon] where line.equals(field.bytes, at: 0) {
            fields.append(.init(name: field.name, value: line.text(value)))
        }
        return true
    }

    /// `close` overrides `keep-alive`, wherever it stands.
    private mutating func takeConnection(_ line: Span<UInt8>, in list: Range<Int>) {
        var start = list.lowerBound
        while start < list.upperBound {
            let end = min(line.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.upperBound, list.upperBound)
            let option = line.trimmed(start..<end)
            if line.equals("close", in: option) {
                isClosed = true
            } else if line.equals("keep-alive", in: option) {
                persists = true
            }
            start = end + 1
        }
    }

    /// Notes the first reason to take no more.
    ///
    /// - Returns: false.
    mutating func refuse(_ error: CurlError) -> Bool {
        if fault == nil { fault = error }
        return false
    }
}
