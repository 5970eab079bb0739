import Testing

@testable import HTTPFront

@Suite("The request decoder refuses")
struct DecoderRefusalTests {
    @Test(
        "request lines that are not exactly method, target and version",
        arguments: [
            Refused("no target", "POST HTTP/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("an empty target", "POST  HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a space before the method", " POST / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("two spaces after the method", "POST  / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a tab after the method", "POST\t/ HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a tab after the target", "POST /\tHTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a method that is no token", "PO(ST / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("NUL in the method", "PO\u{0}ST / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("NUL in the target", "POST /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a byte beyond ASCII in the target", "POST /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a bare CR in the target", "POST /\rx HTTP/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("a bare CR before the method", "\rPOST / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a relative target", "POST index HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused(
                "a relative target of a method that no route knows", "PUT a HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("more than an asterisk", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("an asterisk after GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("an asterisk after HEAD", "HEAD * HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("an absolute target of another scheme", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("an absolute target without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused(
                "an absolute target with user information", "GET http://u:p@b/ HTTP/1.1\r\nHost: a\r\n\r\n",
                .requestLine),
            Refused("an absolute target with two hosts", "GET http://b,c/ HTTP/1.1\r\nHost: a\r\n\r\n", .requestLine),
            Refused("a TLS greeting", "\u{16}\u{3}\u{1}\u{0}\r\n\r\n", .requestLine),
        ])
    func requestLines(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "versions other than HTTP/1.0 and HTTP/1.1",
        arguments: [
            Refused("HTTP/0.9", "GET /\r\n\r\n", .httpVersion),
            Refused("HTTP/0.9 by name", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/1", "GET / HTTP/1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/1.", "GET / HTTP/1.\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/1.x", "GET / HTTP/1.x\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/11.1", "GET / HTTP/11.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .httpVersion),
            Refused("lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("mixed case", "GET / HTTp/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("another protocol", "GET / SPDY/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("no version", "GET / \r\nHost: a\r\n\r\n", .httpVersion),
            Refused("a space behind it", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .httpVersion),
            Refused("a space before it", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .httpVersion),
            Refused("a CR behind it", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", .httpVersion),
        ])
    func versions(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "requests that do not name exactly one host",
        arguments: [
            Refused("no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", .host),
            Refused("no field at all", "GET / HTTP/1.1\r\n\r\n", .host),
            Refused("no Host beside an absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", .host),
            Refused("an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", .host),
            Refused("a Host of white space", "GET / HTTP/1.1\r\nHost: \t \r\n\r\n", .host),
            Refused("Host twice, different", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", .host),
            Refused("Host twice, the same", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost: a\r\n\r\n", .host),
            Refused("a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", .host),
            Refused("a list without spaces", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .host),
            Refused("two words", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .host),
            Refused("a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .host),
            Refused("user information", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .host),
            Refused("a query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", .host),
            Refused("a byte beyond ASCII", "GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", .host),
        ])
    func host(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "hosts outside the grammar of RFC 9112, section 3.2: `uri-host [ \":\" port ]`",
        arguments: ["a:b", "a:1:2", "[::1", "::1]", "[::1]x", "a[b]", "%zz", ":80"])
    func malformedHost(value: String) {
        expectRefused(Refused(value, "GET / HTTP/1.1\r\nHost: \(value)\r\n\r\n", .host))
    }

    @Test(
        "repeated fields that would make a request ambiguous",
        arguments: ["X-Amz-Target", "Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token"])
    func repeated(name: String) {
        expectRefused(Refused("same", post("\(name): a\r\n\(name): a\r\n"), .repeatedField))
        expectRefused(Refused("different", post("\(name): a\r\nX: y\r\n\(name.lowercased()): b\r\n"), .repeatedField))
        expectRefused(Refused("empty", post("\(name):\r\n\(name.uppercased()):\r\n"), .repeatedField))
    }

    @Test(
        "expectations other than 100-continue",
        arguments: [
            Refused("another", post("Expect: 200-ok\r\nContent-Length: 2\r\n", "hi"), .expectation),
            Refused("a list", post("Expect: 100-continue, x\r\n"), .expectation),
            Refused("empty", post("Expect:\r\n"), .expectation),
            Refused("repeated", post("Expect: 100-continue\r\nExpect: 100-continue\r\n"), .repeatedField),
        ])
    func expectation(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "CONNECT, in any form",
        arguments: [
            Refused("authority-form", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", .connectMethod),
            Refused("origin-form", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", .connectMethod),
            Refused("with content", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi", .connectMethod),
        ])
    func connect(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "with 400 what is malformed, with 413, 414 or 431 what is too large, with 405 CONNECT",
        arguments: [
            ([.requestLine, .httpVersion, .bareLineFeed, .fieldName, .fieldValue, .foldedField, .host], 400),
            ([.repeatedField, .contentLength, .transferEncoding, .chunk, .foreignTarget], 400),
            ([.connectMethod], 405), ([.headTimeout, .bodyTimeout], 408), ([.bodyTooLarge], 413),
            ([.targetTooLong], 414),
            ([.expectation], 417), ([.fieldsTooMany, .headTooLarge], 431), ([.connections, .connectionsPerPeer], 503),
        ] as [([Refusal], Int)])
    func status(refusals: [Refusal], code: Int) {
        for refusal in refusals { #expect(refusal.status.code == code) }
    }

    @Test("each for a reason that has its own label and its own place", arguments: Refusal.allCases)
    func labels(refusal: Refusal) {
        #expect(refusal.rawValue.allSatisfy { $0.isASCII && ($0.isLowercase || $0 == "_") })
        #expect(Refusal.allCases[refusal.index] == refusal)
        #expect(refusal.explanation.hasSuffix("."))
    }
}
