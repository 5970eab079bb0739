import Testing

@testable import HTTPFront

/// A stream of bytes and the requests that it holds.
struct Accepted: Sendable, CustomTestStringConvertible {
    struct Request: Sendable {
        var method = RequestHead.Method.post
        var path = "/"
        var authority: String?
        var fields = ["Host: a"]
        var content = ""
        var keepsConnection = true
        var expectsContinue = false
        var isHTTP11 = true
    }

    var name: String
    var input: String
    var requests: [Request]

    init(_ name: String, _ input: String, _ requests: Request...) {
        self.name = name
        self.input = input
        self.requests = requests
    }

    var testDescription: String { name }
}

@Suite("The request decoder accepts")
struct DecoderAcceptanceTests {
    private func expectAccepted(_ accepted: Accepted) {
        let decoded = decodeBothWays(accepted.input)
        #expect(decoded.end == .waiting(0))
        #expect(decoded.requests.count == accepted.requests.count)
        for (request, expected) in zip(decoded.requests, accepted.requests) {
            #expect(request.method == expected.method)
            #expect(request.path == expected.path)
            #expect(request.authority == expected.authority)
            #expect(request.fields == expected.fields)
            #expect(request.content == expected.content)
            #expect(request.keepsConnection == expected.keepsConnection)
            #expect(request.expectsContinue == expected.expectsContinue)
            #expect(request.isHTTP11 == expected.isHTTP11)
        }
    }

    @Test(
        "request lines",
        arguments: [
            Accepted("origin-form", "POST / HTTP/1.1\r\nHost: a\r\n\r\n", .init()),
            Accepted(
                "a path with a query", "GET /metrics?a=b&c HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(method: .get, path: "/metrics?a=b&c")),
            Accepted("HEAD", "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n", .init(method: .head, path: "/x")),
            Accepted(
                "a method that no route knows", "DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(method: .other, path: "/x")),
            Accepted(
                "a method in lower case, which is another method", "post / HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(method: .other)),
            Accepted("asterisk-form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", .init(method: .other, path: "*")),
            Accepted(
                "absolute-form", "POST http://b.example:8080/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(path: "/x?y", authority: "b.example:8080")),
            Accepted(
                "absolute-form of https, scheme in any case", "POST HttpS://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(authority: "b")),
            Accepted(
                "absolute-form with an IPv6 address", "POST http://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(authority: "[::1]:80")),
            Accepted(
                "HTTP/1.0 without Host", "POST / HTTP/1.0\r\n\r\n",
                .init(fields: [], keepsConnection: false, isHTTP11: false)),
            Accepted("HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\n\r\n", .init(keepsConnection: false, isHTTP11: false)),
            Accepted("an empty line before the request line", "\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n", .init()),
            Accepted(
                "empty lines between requests",
                "POST / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .init(),
                .init(method: .get)),
        ])
    func requestLines(_ accepted: Accepted) { expectAccepted(accepted) }

    @Test("an absolute-form target without a path, whose path is then `/` (RFC 9110, section 4.2.3)")
    func emptyPath() {
        let decoded = decodeBothWays("POST http://b.example HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(decoded.requests.map(\.authority) == ["b.example"])
        #expect(decoded.requests.map(\.path) == ["/"])
    }

    @Test(
        "fields",
        arguments: [
            Accepted(
                "names in any case, kept as they came",
                "POST / HTTP/1.1\r\nHOST: a\r\ncontent-length: 2\r\nX-aMz-TaRgEt: T\r\n\r\nhi",
                .init(fields: ["HOST: a", "content-length: 2", "X-aMz-TaRgEt: T"], content: "hi")),
            Accepted(
                "no white space, much white space and tabs around a value",
                "POST / HTTP/1.1\r\nHost:a\r\nX-A: \t b\t c \t \r\nX-B:\t\r\n\r\n",
                .init(fields: ["Host: a", "X-A: b\t c", "X-B: "])),
            Accepted(
                "obs-text in a value", "POST / HTTP/1.1\r\nHost: a\r\nX: \u{80}\u{ff}\r\n\r\n",
                .init(fields: ["Host: a", "X: \u{80}\u{ff}"])),
            Accepted(
                "every character of a token in a name",
                "POST / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n",
                .init(fields: ["Host: a", "!#$%&'*+-.^_`|~09azAZ: b"])),
            Accepted(
                "colons in a value", "POST / HTTP/1.1\r\nHost: a:80\r\nX: a:b: c\r\n\r\n",
                .init(fields: ["Host: a:80", "X: a:b: c"])),
            Accepted(
                "an IPv6 address as host", "POST / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
                .init(fields: ["Host: [::1]:8080"])),
            Accepted(
                "a repeated field that may be a list", "POST / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n",
                .init(fields: ["Host: a", "X: 1", "X: 2"])),
        ])
    func fields(_ accepted: Accepted) { expectAccepted(accepted) }

    @Test(
        "content",
        arguments: [
            Accepted(
                "by its length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                .init(fields: ["Host: a", "Content-Length: 5"], content: "hello")),
            Accepted(
                "of length 0, and a length with leading zeros",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
                    + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0005\r\n\r\nhello",
                .init(fields: ["Host: a", "Content-Length: 0"]),
                .init(fields: ["Host: a", "Content-Length: 0005"], content: "hello")),
            Accepted(
                "of any bytes, line ends and controls among them",
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n\r\n\r\n\u{0}\n\u{ff}",
                .init(fields: ["Host: a", "Content-Length: 7"], content: "\r\n\r\n\u{0}\n\u{ff}")),
            Accepted(
                "of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
                .init(method: .get, fields: ["Host: a", "Content-Length: 2"], content: "hi")),
            Accepted(
                "pipelined, each request with its own",
                "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                    + "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nho\r\n0\r\n\r\n"
                    + "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
                .init(path: "/1", fields: ["Host: a", "Content-Length: 2"], content: "hi"),
                .init(path: "/2", fields: ["Host: a", "Transfer-Encoding: chunked"], content: "ho"),
                .init(method: .get, path: "/3")),
        ])
    func content(_ accepted: Accepted) { expectAccepted(accepted) }

    @Test(
        "the wish to keep or to close the connection (RFC 9112, section 9.3)",
        arguments: [
            ("HTTP/1.1", "", true),
            ("HTTP/1.1", "Connection: close\r\n", false),
            ("HTTP/1.1", "connection: CLOSE\r\n", false),
            ("HTTP/1.1", "Connection: keep-alive\r\n", true),
            ("HTTP/1.1", "Connection: te, close\r\n", false),
            ("HTTP/1.1", "Connection: ,,close,\r\n", false),
            ("HTTP/1.1", "Connection: te\r\nConnection: close\r\n", false),
            ("HTTP/1.1", "Connection: close, keep-alive\r\n", false),
            ("HTTP/1.1", "Connection: closed\r\n", true),
            ("HTTP/1.1", "X-Connection: close\r\n", true),
            ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
            ("HTTP/1.0", "Connection: te\tkeep-alive\r\n", false),
            ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
            ("HTTP/1.0", "Connection: close\r\nConnection: keep-alive\r\n", false),
        ])
    func connection(version: String, fields: String, keeps: Bool) {
        let decoded = decodeBothWays("GET / \(version)\r\nHost: a\r\n\(fields)\r\n")
        #expect(decoded.requests.map(\.keepsConnection) == [keeps])
    }

    @Test(
        "the expectation of 100 Continue, where one can be meant (RFC 9110, section 10.1.1)",
        arguments: [
            ("HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2\r\n", true),
            ("HTTP/1.1", "expect: 100-Continue\r\nContent-Length: 2\r\n", true),
            ("HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n", false),
            ("HTTP/1.1", "Expect: 100-continue\r\n", false),
            ("HTTP/1.0", "Expect: 100-continue\r\nContent-Length: 2\r\n", false),
            ("HTTP/1.1", "Content-Length: 2\r\n", false),
        ])
    func expectation(version: String, fields: String, expects: Bool) {
        let content = fields.contains("Length: 2") ? "hi" : ""
        let decoded = decodeBothWays("POST / \(version)\r\nHost: a\r\n\(fields)\r\n\(content)")
        #expect(decoded.requests.map(\.expectsContinue) == [expects])
        #expect(decoded.requests.map(\.content) == [content])
    }

    @Test("100 Continue is asked for once, and only while none of the content is there")
    func sendContinue() {
        let head = bytes("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        var decoder = RequestDecoder()
        var lifted = RequestHead()
        func look(_ bytes: [UInt8]) -> String {
            switch decoder.next(bytes.span, head: &lifted, limits: HTTPLimits()) {
            case .sendContinue: "100"
            case .incomplete: "wait"
            case .request(let length): "request of \(length)"
            case .emptyLine, .refused: "?"
            }
        }
        #expect(look(head.dropLast()) == "wait")
        #expect(!decoder.awaitsContent)
        #expect(look(head) == "100")
        #expect(decoder.awaitsContent)
        #expect(look(head + bytes("h")) == "wait")
        #expect(look(head + bytes("hi")) == "request of \(head.count + 2)")
        #expect(look(head + bytes("h")) == "wait", "the content is on its way already")
    }

    @Test(
        "nothing yet where a request is not complete",
        arguments: [
            "\r", "P", "POST / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\n\r",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nhi",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
        ])
    func incomplete(input: String) {
        #expect(decodeBothWays(input) == Decoded(end: .waiting(bytes(input).count)))
    }
}
