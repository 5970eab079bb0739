import Testing

@testable import HTTPFront

/// One byte for each Unicode scalar, so that a literal can hold any byte: `"\u{0}"` is NUL, `"\u{ff}"` is 0xff.
func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

/// The reverse of `bytes`.
func text(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
}

/// A request as the decoder and `ChunkedContent` understood it.
struct DecodedRequest: Equatable {
    var method: RequestHead.Method
    var path: String
    var authority: String?
    var fields: [String]
    var content: String
    var keepsConnection: Bool
    var expectsContinue: Bool
    var isHTTP11: Bool
    /// The head's bytes, as they came.
    var head: String
}

/// What became of a stream of bytes.
struct Decoded: Equatable {
    enum End: Equatable {
        /// So many bytes wait for more.
        case waiting(Int)
        case refused(Refusal)
    }

    var requests: [DecodedRequest] = []
    var end = End.waiting(0)
}

/// Decodes a stream of which `step` more bytes are there at each look.
func decode(_ input: [UInt8], step: Int, limits: HTTPLimits = HTTPLimits()) -> Decoded {
    var decoder = RequestDecoder()
    var head = RequestHead()
    var decoded = Decoded()
    var start = 0
    var arrived = 0
    while arrived < input.count {
        arrived = min(arrived + step, input.count)
        looking: while start < arrived {
            let rest = input.span.extracting(start..<arrived)
            switch decoder.next(rest, head: &head, limits: limits) {
            case .incomplete, .sendContinue:
                break looking
            case .emptyLine(let length):
                start += length
            case .request(let length):
                decoded.requests.append(lift(head, Array(input[start..<start + length])))
                start += length
            case .refused(let refusal):
                decoded.end = .refused(refusal)
                return decoded
            }
        }
    }
    decoded.end = .waiting(input.count - start)
    return decoded
}

/// Decodes `input` at once and byte by byte, and expects the same of both.
func decodeBothWays(
    _ input: [UInt8], limits: HTTPLimits = HTTPLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> Decoded {
    let whole = decode(input, step: max(input.count, 1), limits: limits)
    let bytewise = decode(input, step: 1, limits: limits)
    if whole != bytewise {
        Issue.record("whole: \(whole)\nbyte by byte: \(bytewise)", sourceLocation: sourceLocation)
    }
    return whole
}

func decodeBothWays(
    _ input: String, limits: HTTPLimits = HTTPLimits(), sourceLocation: SourceLocation = #_sourceLocation
) -> Decoded {
    decodeBothWays(bytes(input), limits: limits, sourceLocation: sourceLocation)
}

private func lift(_ head: RequestHead, _ request: [UInt8]) -> DecodedRequest {
    func piece(_ range: Range<Int>) -> String { text(request[range]) }
    var content: [UInt8] = []
    switch head.framing {
    case .length(let length):
        content = Array(request.suffix(length))
    case .chunked:
        ChunkedContent.forEachChunk(request.span, from: head.length) { content += request[$0] }
    }
    return DecodedRequest(
        method: head.method, path: piece(head.path), authority: head.authority.map(piece),
        fields: head.fields.map { "\(piece($0.name)): \(piece($0.value))" }, content: text(content),
        keepsConnection: head.keepsConnection, expectsContinue: head.expectsContinue, isHTTP11: head.isHTTP11,
        head: text(request.prefix(head.length)))
}
