/// Finds one request after the other in the bytes of a connection. It takes bytes, returns one step, and does no I/O.
///
/// The caller always passes the bytes from the start of the current request. The decoder remembers how far it has read, so that a request
/// that arrives byte by byte costs no more than one that arrives at once.
struct RequestDecoder {
    /// The caller's next step.
    enum Step {
        /// Wait for more bytes.
        case incomplete
        /// Send `100 Continue`, then wait for more bytes.
        case sendContinue
        /// A request is complete: its head is in `head`, `length` bytes hold all of it.
        case request(length: Int)
        /// Drop an empty line before the request line, `length` bytes (RFC 9112, section 2.2), and call again.
        case emptyLine(length: Int)
        /// Refuse, and close after the answer.
        case refused(Refusal)
    }

    private enum State {
        /// The head does not end within the first `scanned` bytes.
        case head(scanned: Int)
        /// The head is complete and well-formed; the request takes `length` bytes in all.
        case fixed(length: Int)
        /// The head is complete and well-formed, of `head` bytes, and chunked content follows.
        case chunked(ChunkedContent, head: Int)
    }

    private var state = State.head(scanned: 0)

    /// True if the head of the current request is complete, so that the content is awaited.
    var awaitsContent: Bool {
        if case .head = state { false } else { true }
    }

    /// Reads the bytes of the current request. After `.request` the decoder is ready for the next one.
    ///
    /// - Parameter head: filled when, and only when, a request is complete.
    mutating func next(_ bytes: Span<UInt8>, head: inout RequestHead, limits: HTTPLimits) -> Step {
        do throws(Refusal) {
            return try advance(bytes, head: &head, limits: limits)
        } catch {
            return .refused(error)
        }
    }

    private mutating func advance(
        _ bytes: Span<UInt8>, head: inout RequestHead, limits: HTTPLimits
    ) throws(Refusal) -> Step {
        switch state {
        case .head(let scanned):
            if bytes.count >= 2, bytes[0] == 0x0d, bytes[1] == 0x0a {
                state = .head(scanned: 0)
                return .emptyLine(length: 2)
            }
            // Nearly always the head is complete and well-formed, and one pass reads it. If not, it is read line by line.
            if scanned > 0 || (try? head.parse(bytes, limits: limits)) == nil || head.length > limits.maxHeadBytes {
                guard try headEnd(bytes, scanned: scanned, limits: limits) != nil else { return .incomplete }
                try head.parse(bytes, limits: limits)
            }
            let end = head.length
            switch head.framing {
            case .length(let content): state = .fixed(length: end + content)
            case .chunked: state = .chunked(ChunkedContent(start: end), head: end)
            }
            let length = try contentEnd(bytes, limits: limits)
            guard let length else { return head.expectsContinue && bytes.count == end ? .sendContinue : .incomplete }
            return finished(length)
        case .fixed, .chunked:
            guard let length = try contentEnd(bytes, limits: limits) else { return .incomplete }
            // The head is parsed again rather than kept: only requests in pieces pay for it, and an idle connection needs no memory.
            try head.parse(bytes, limits: limits)
            // Holds as long as the caller passes the same bytes again.
            guard head.length <= length else { throw .contentLength }
            return finished(length)
        }
    }

    private mutating func finished(_ length: Int) -> Step {
        state = .head(scanned: 0)
        return .request(length: length)
    }

    /// Where the request ends; `nil` if its content is not complete.
    private mutating func contentEnd(_ bytes: Span<UInt8>, limits: HTTPLimits) throws(Refusal) -> Int? {
        switch state {
        case .head: return nil
        case .fixed(let length): return length <= bytes.count ? length : nil
        case .chunked(var content, let head):
            let end = try content.advance(bytes, start: head, limits: limits)
            state = .chunked(content, head: head)
            return end
        }
    }

    /// Where the head ends, its empty line included; `nil` if it is not complete. Line ends are checked on the way.
    private mutating func headEnd(_ bytes: Span<UInt8>, scanned: Int, limits: HTTPLimits) throws(Refusal) -> Int? {
        var position = scanned
        while true {
            let feed = bytes.first(0x0a, from: position)
            guard feed < limits.maxHeadBytes else {
                // 414 if the first line does not end within the limit, 431 otherwise.
                throw bytes.first(0x0a, from: 0) >= limits.maxHeadBytes ? .targetTooLong : .headTooLarge
            }
            guard feed < bytes.count else {
                state = .head(scanned: feed)
                return nil
            }
            guard feed > 0, bytes[feed - 1] == 0x0d else { throw .bareLineFeed }
            if feed >= 3, bytes[feed - 2] == 0x0a { return feed + 1 }
            position = feed + 1
        }
    }
}
