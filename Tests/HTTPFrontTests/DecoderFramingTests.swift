import Testing

@testable import HTTPFront

@Suite("The request decoder, of content")
struct DecoderFramingTests {
    @Test(
        "refuses a Content-Length that is not 1*DIGIT",
        arguments: [
            "+5", "-5", "-0", "5,5", "5, 5", "5,6", "0x5", "5 5", "5.0", "5e0", "5;", "\"5\"", "five", "", "\u{b2}",
            "5\t5", "0_5", "18446744073709551621x",
        ])
    func contentLength(value: String) {
        expectRefused(Refused(value, post("Content-Length: \(value)\r\n", "hello"), .contentLength))
    }

    @Test(
        "refuses more than one statement of the content's length",
        arguments: [
            Refused("repeated, the same", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), .contentLength),
            Refused("repeated, different", post("Content-Length: 5\r\ncontent-length: 6\r\n", "hello"), .contentLength),
            Refused("repeated, one empty", post("Content-Length: 5\r\nContent-Length:\r\n", "hello"), .contentLength),
            Refused(
                "length, then chunked",
                post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), .contentLength),
            Refused(
                "chunked, then length",
                post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"), .contentLength),
            Refused(
                "chunked and a length of 0",
                post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n"), .contentLength),
            Refused(
                "chunked and a malformed length",
                post("Transfer-Encoding: chunked\r\nContent-Length: +5\r\n", "0\r\n\r\n"), .contentLength),
        ])
    func twoLengths(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "refuses a length beyond every integer as too large, not as something else",
        arguments: [
            "65537", "9223372036854775807", "9223372036854775808", "18446744073709551616", "18446744073709551621",
            "340282366920938463463374607431768211461", String(repeating: "9", count: 1000),
        ])
    func hugeLength(digits: String) {
        expectRefused(Refused(digits, post("Content-Length: \(digits)\r\n", "hello"), .bodyTooLarge))
    }

    @Test(
        "refuses any Transfer-Encoding but a single chunked",
        arguments: [
            "gzip, chunked", "gzip,chunked", "chunked, chunked", "chunked,", ",chunked", "chunked, gzip", "identity",
            "identity, chunked", "xchunked", "chunkedx", "chunke", "chunked;q=1", "chunked; a=b", "\"chunked\"",
            "chun ked", "gzip", "", "x", "\u{e3}hunked",
        ])
    func transferEncoding(value: String) {
        expectRefused(
            Refused(value, post("Transfer-Encoding: \(value)\r\n", "5\r\nhello\r\n0\r\n\r\n"), .transferEncoding))
    }

    @Test(
        "refuses a repeated Transfer-Encoding, and one in HTTP/1.0 (RFC 9112, section 6.1)",
        arguments: [
            Refused(
                "repeated, the same",
                post("Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n"), .transferEncoding),
            Refused(
                "repeated, different",
                post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), .transferEncoding),
            Refused(
                "another coding in a field of its own",
                post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), .transferEncoding),
            Refused(
                "in HTTP/1.0",
                post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", version: "HTTP/1.0"), .transferEncoding),
            Refused(
                "an unknown coding beside a length",
                post("Transfer-Encoding: x\r\nContent-Length: 5\r\n", "hello"), .transferEncoding),
            Refused(
                "hidden behind a vertical tab",
                post("Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n"), .fieldValue),
            Refused(
                "hidden behind a space before the colon",
                post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), .fieldName),
            Refused(
                "hidden behind a carriage return in its name",
                post("Transfer\rEncoding: chunked\r\n", "0\r\n\r\n"), .fieldName),
        ])
    func refusedEncodings(_ refused: Refused) { expectRefused(refused) }

    @Test("accepts chunked in any case, trimmed", arguments: ["chunked", "Chunked", "CHUNKED", " \tchunked  "])
    func chunked(value: String) {
        let decoded = decodeBothWays(post("Transfer-Encoding:\(value)\r\n", "2\r\nhi\r\n0\r\n\r\n"))
        #expect(decoded.requests.map(\.content) == ["hi"])
        #expect(decoded.end == .waiting(0))
    }

    @Test("takes the bytes behind the content for the next request, and for nothing else")
    func behind() {
        let decoded = decodeBothWays(post("Content-Length: 2\r\n", "hiX"))
        #expect(decoded.requests.map(\.content) == ["hi"])
        #expect(decoded.end == .waiting(1))
    }

    @Test(
        "refuses a tab after a value that the framing depends on: another reader takes it for a part of the value",
        arguments: ["\t", " \t", "\t ", " \t "])
    func tab(space: String) {
        expectRefused(Refused(space, post("Content-Length: 5\(space)\r\n", "hello"), .contentLength))
        expectRefused(
            Refused(space, post("Transfer-Encoding: chunked\(space)\r\n", "0\r\n\r\n"), .transferEncoding))
    }
}
