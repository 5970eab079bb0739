import Testing

@testable import HTTPFront

@Suite("Chunked content")
struct ChunkedContentTests {
    private func chunked(_ content: String) -> String { post("Transfer-Encoding: chunked\r\n", content) }

    @Test(
        "is put together from its chunks",
        arguments: [
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "hello"),
            ("2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n", "hello"),
            ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("a\r\n0123456789\r\n00\r\n\r\n", "0123456789"),
            ("000000000000005\r\nhello\r\n0\r\n\r\n", "hello"),
            ("7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n0\r\n\r\n"),
            ("2\r\n\u{0}\u{ff}\r\n0\r\n\r\n", "\u{0}\u{ff}"),
            ("5;a\r\nhello\r\n0\r\n\r\n", "hello"),
            ("5;a=b;c=d;e\r\nhello\r\n0;f\r\n\r\n", "hello"),
            ("5;a=\"b c;\t=\"\r\nhello\r\n0;f=\"\"\r\n\r\n", "hello"),
            ("5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n", "hello"),
        ])
    func accepted(content: String, expected: String) {
        let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        let decoded = decodeBothWays(chunked(content) + next)
        #expect(decoded.requests.map(\.content) == [expected, ""])
        #expect(decoded.requests.map(\.path) == ["/", "/next"])
        #expect(decoded.end == .waiting(0))
    }

    @Test("drops its trailer fields: none of them becomes a field of the request")
    func trailers() {
        let trailers = "X-Amz-Checksum: b\r\nHosts: c\r\nX: \u{80}\t\r\n"
        let decoded = decodeBothWays(chunked("2\r\nhi\r\n0\r\n\(trailers)\r\n"))
        #expect(decoded.requests.map(\.fields) == [["Host: a", "Transfer-Encoding: chunked"]])
        #expect(decoded.requests.map(\.content) == ["hi"])
    }

    @Test(
        "is refused with a size that is not 1*HEXDIG",
        arguments: [
            "0x5", "0X5", "+5", "-5", "-0", " 5", "5 ", "\t5", "5\t", "", "g", "5g", "5,", "5.0", "\u{35}\u{0}",
            "\"5\"",
            "00000000000000000005", "FFFFFFFFFFFFFFFFFFFF", "80000000000000005", "10000000000000005",
        ])
    func size(size: String) { expectRefused(Refused(size, chunked("\(size)\r\nhello\r\n0\r\n\r\n"), .chunk)) }

    @Test(
        "is refused with an extension that is not `;name`, `;name=token` or `;name=\"text\"`",
        arguments: [
            "5;", "5;=b", "5;a=", "5;a=\"", "5;a=\"b", "5;a=\"b\"c", "5;a=b\u{1}", "5;a\u{0}", "5;\u{7f}",
            "5;a=\"\u{0}\"",
            "5;a=\"\r\"", "5;a=\rb", "5;a\rb", "5 ;a", "5; a", "5;a =b", "5;a= b", "5;a;", "5;;a", "5;a=b c", "5a;b,c",
        ])
    func extensions(line: String) { expectRefused(Refused(line, chunked("\(line)\r\nhello\r\n0\r\n\r\n"), .chunk)) }

    @Test(
        "is refused where a line end is not CR LF, or is missing",
        arguments: [
            Refused("LF after a size", "5\nhello\r\n0\r\n\r\n", .chunk),
            Refused("LF after an extension", "5;a\nhello\r\n0\r\n\r\n", .chunk),
            Refused("LF in an extension", "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", .chunk),
            Refused("CR CR LF after a size", "5\r\r\nhello\r\n0\r\n\r\n", .chunk),
            Refused("CR after a size", "5\rhello\r\n0\r\n\r\n", .chunk),
            Refused("LF after the data", "5\r\nhello\n0\r\n\r\n", .chunk),
            Refused("CR after the data", "5\r\nhello\r0\r\n\r\n", .chunk),
            Refused("nothing after the data", "5\r\nhello0\r\n\r\n", .chunk),
            Refused("more data than the size says", "4\r\nhello\r\n0\r\n\r\n", .chunk),
            Refused("less data than the size says", "6\r\nhello\r\n0\r\n\r\n", .chunk),
            Refused("LF after the last chunk", "5\r\nhello\r\n0\n\r\n", .chunk),
            Refused("LF as the end", "5\r\nhello\r\n0\r\n\n", .chunk),
        ])
    func lineEnds(_ refused: Refused) {
        expectRefused(Refused(refused.name, chunked(refused.input), refused.refusal))
    }

    @Test(
        "is refused with trailer fields that would be refused in a head",
        arguments: [
            "X : y", ": y", "X", " X: y", "X: y\r\n z", "X: y\n", "X: \u{0}", "X: a\rb", "X\u{0}: y", "X: y\r",
            "X\r: y",
        ])
    func trailers(line: String) {
        expectRefused(Refused(line, chunked("5\r\nhello\r\n0\r\n\(line)\r\n\r\n"), .chunk))
    }

    @Test(
        "is refused with trailer fields that belong into the head (RFC 9110, section 6.5.1)",
        arguments: KnownField.allNames)
    func trailers(known name: String) {
        for spelling in [name, name.uppercased(), name.lowercased()] {
            expectRefused(Refused(spelling, chunked("5\r\nhello\r\n0\r\n\(spelling): chunked\r\n\r\n"), .chunk))
        }
    }

    @Test("is refused with more trailer fields than a head may have")
    func manyTrailers() {
        let hundred = String(repeating: "X: y\r\n", count: 100)
        #expect(decodeBothWays(chunked("0\r\n\(hundred)\r\n")).requests.count == 1)
        expectRefused(Refused("101", chunked("0\r\n\(hundred)X: y\r\n\r\n"), .fieldsTooMany))
    }

    @Test("is refused above the limit: by one chunk's size, before its data, and by the sum of several")
    func limit() {
        var limits = HTTPLimits()
        limits.maxBodyBytes = 10
        let exact = decodeBothWays(chunked("4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"), limits: limits)
        #expect(exact.requests.map(\.content) == ["0123456789"])
        expectRefused(Refused("one chunk", chunked("B\r\n"), .bodyTooLarge), limits: limits)
        expectRefused(Refused("two chunks", chunked("4\r\n0123\r\n7\r\n"), .bodyTooLarge), limits: limits)
        expectRefused(Refused("a huge chunk", chunked("FFFFFFFFFFFFFFF\r\n"), .bodyTooLarge), limits: limits)
    }

    @Test("is refused above the default limit of 64 KiB, reached by chunks")
    func defaultLimit() {
        let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
        let exact = decodeBothWays(chunked(chunk + chunk + "0\r\n\r\n"))
        #expect(exact.requests.map(\.content.utf8.count) == [65_536])
        expectRefused(Refused("64 KiB + 1", chunked(chunk + chunk + "1\r\nx\r\n0\r\n\r\n"), .bodyTooLarge))
    }

    @Test("is refused if its framing outgrows it: tiny chunks with long extensions are an attack")
    func framing() {
        let padding = "1;" + String(repeating: "a", count: 4000) + "\r\nx\r\n"
        expectRefused(Refused("padded", chunked(String(repeating: padding, count: 60)), .bodyTooLarge))
        expectRefused(Refused("a line", chunked("1;" + String(repeating: "a", count: 10_000)), .chunk))
    }
}
