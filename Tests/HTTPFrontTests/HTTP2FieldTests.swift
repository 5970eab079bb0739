import NIOHPACK
import Testing

@testable import HTTPFront

@Suite("The fields of an HTTP/2 request")
struct HTTP2FieldTests {
    private static let start: [(String, String)] = [
        (":method", "POST"), (":scheme", "https"), (":path", "/a?b=c"), (":authority", "h:1"),
    ]

    private func lower(_ fields: [(String, String)], limits: HTTPLimits = HTTPLimits()) -> Result<String, Refusal> {
        var lowered: [UInt8] = []
        var head = RequestHead()
        do throws(Refusal) {
            try HTTP2ToHTTP1.write(HPACKHeaders(fields), into: &lowered, limits: limits)
            try head.parse(lowered.span, limits: limits)
            return .success(text(lowered))
        } catch {
            return .failure(error)
        }
    }

    @Test("become the head that HTTP/1.1 would have sent")
    func lowered() {
        #expect(
            lower(Self.start + [("x-amz-target", "V.L"), ("content-length", "2"), ("x", "a\tb \u{e9}"), ("empty", "")])
                == .success(
                    "POST /a?b=c HTTP/1.1\r\nhost: h:1\r\nx-amz-target: V.L\r\ncontent-length: 2\r\nx: a\tb \u{c3}\u{a9}\r\n"
                        + "empty: \r\n\r\n"))
        #expect(
            lower([(":path", "*"), (":method", "OPTIONS"), (":scheme", "http"), ("host", "h"), ("te", "trailers")])
                == .success("OPTIONS * HTTP/1.1\r\nhost: h\r\nte: trailers\r\n\r\n"))
    }

    @Test("may name the host twice if both agree")
    func host() {
        #expect(
            lower(Self.start + [("host", "H:1"), ("x", "y")])
                == .success("POST /a?b=c HTTP/1.1\r\nhost: h:1\r\nx: y\r\n\r\n"))
    }

    /// Fields to be refused, each case with the fields that replace or follow the good ones.
    private static let refused: [(Refusal, [(String, String)])] = [
        (.pseudoField, Array(start[..<3]) + [("host", "h:1"), start[3]]),
        (.pseudoField, start + [(":method", "GET")]),
        (.pseudoField, start + [(":path", "/")]),
        (.pseudoField, start + [(":status", "200")]),
        (.pseudoField, start + [(":protocol", "websocket")]),
        (.pseudoField, start + [(":", "x")]),
        (.requestLine, []),
        (.requestLine, Array(start[1...])),
        (.requestLine, Array(start[..<2]) + [start[3]]),
        (.requestLine, [start[0], start[2], start[3]]),
        (.requestLine, [(":method", ""), start[1], start[2], start[3]]),
        (.requestLine, [(":method", "GET /x HTTP/1.1\r\nx:"), start[1], start[2], start[3]]),
        (.requestLine, [(":method", "G T"), start[1], start[2], start[3]]),
        (.requestLine, [start[0], (":scheme", "ftp"), start[2], start[3]]),
        (.requestLine, [start[0], start[1], (":path", ""), start[3]]),
        (.requestLine, [start[0], start[1], (":path", "a"), start[3]]),
        (.requestLine, [start[0], start[1], (":path", "http://b/"), start[3]]),
        (.requestLine, [start[0], start[1], (":path", "/ HTTP/1.1\r\nx: y"), start[3]]),
        (.requestLine, [start[0], start[1], (":path", "/\u{e9}"), start[3]]),
        (.connectMethod, [(":method", "CONNECT"), start[3]]),
        (.host, Array(start[..<3])),
        (.host, Array(start[..<3]) + [(":authority", "")]),
        (.host, Array(start[..<3]) + [(":authority", "user@h")]),
        (.host, Array(start[..<3]) + [("host", "a"), ("host", "a")]),
        (.host, start + [("host", "other")]),
        (.host, Array(start[..<3]) + [(":authority", "kiosk"), ("host", "\u{212a}iosk")]),
        (.host, start + [("host", "h:1"), ("host", "h:1")]),
        (.fieldValue, Array(start[..<3]) + [(":authority", "a\r\nx: y")]),
        (.fieldName, start + [("X", "y")]),
        (.fieldName, start + [("", "y")]),
        (.fieldName, start + [("a b", "y")]),
        (.fieldName, start + [("a:", "y")]),
        (.fieldName, start + [("a\r\nb", "y")]),
        (.fieldName, start + [("\u{e9}", "y")]),
        (.fieldValue, start + [("x", "y\r\nz: a")]),
        (.fieldValue, start + [("x", "y\n")]),
        (.fieldValue, start + [("x", "\u{0}")]),
        (.fieldValue, start + [("x", "\u{7f}")]),
        (.fieldValue, start + [("x", " y")]),
        (.fieldValue, start + [("x", "y\t")]),
        (.connectionField, start + [("connection", "close")]),
        (.connectionField, start + [("proxy-connection", "close")]),
        (.connectionField, start + [("keep-alive", "1")]),
        (.connectionField, start + [("transfer-encoding", "chunked")]),
        (.connectionField, start + [("upgrade", "h2c")]),
        (.connectionField, start + [("te", "gzip")]),
        (.contentLength, start + [("content-length", "1"), ("content-length", "1")]),
        (.contentLength, start + [("content-length", "+1")]),
        (.contentLength, start + [("content-length", "1, 1")]),
        (.bodyTooLarge, start + [("content-length", "65537")]),
        (.repeatedField, start + [("x-amz-target", "a"), ("x-amz-target", "a")]),
        (.repeatedField, start + [("authorization", "a"), ("authorization", "b")]),
        (.expectation, start + [("expect", "tea")]),
        (.fieldsTooMany, start + Array(repeating: ("x", "y"), count: 100)),
        (.headTooLarge, start + [("x", String(repeating: "y", count: 16 * 1024))]),
        (.headTooLarge, start + Array(repeating: ("x", String(repeating: "y", count: 12_000)), count: 3)),
        (.targetTooLong, [start[0], start[1], (":path", "/" + String(repeating: "y", count: 16 * 1024)), start[3]]),
    ]

    @Test("that HTTP/1.1 would understand otherwise, or not at all, are refused", arguments: 0..<refused.count)
    func refusals(index: Int) {
        let (refusal, fields) = Self.refused[index]
        #expect(lower(fields) == .failure(refusal), "\(fields)")
    }

    @Test("after the content may not be pseudo-header fields, and are checked like the others")
    func trailers() throws {
        try HTTP2ToHTTP1.check(trailers: ["x": "y"])
        #expect(throws: Refusal.pseudoField) { try HTTP2ToHTTP1.check(trailers: [":path": "/"]) }
        #expect(throws: Refusal.fieldName) { try HTTP2ToHTTP1.check(trailers: ["X": "y"]) }
        #expect(throws: Refusal.fieldValue) { try HTTP2ToHTTP1.check(trailers: ["x": "\r\n"]) }
        #expect(throws: Refusal.connectionField) { try HTTP2ToHTTP1.check(trailers: ["transfer-encoding": "chunked"]) }
    }

    @Test("of an answer are those of HTTP/1.1 in small letters, without those of a connection")
    func raised() {
        let answer = bytes(
            "HTTP/1.1 404 Not Found\r\nDate: x\r\nX-Amzn-RequestId: a:b \r\nConnection: close\r\n\r\nab\r\n\r\nc")
        let raised = HTTP1ToHTTP2(answer.span)
        #expect(raised.fields == [":status": "404", "date": "x", "x-amzn-requestid": "a:b"])
        #expect(text(answer[raised.content]) == "ab\r\n\r\nc")
    }
}
