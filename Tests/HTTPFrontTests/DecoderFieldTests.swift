import Testing

@testable import HTTPFront

@Suite("The request decoder, of fields")
struct DecoderFieldTests {
    /// Where a rule must hold for known and for unknown names alike.
    private static let names = KnownField.allNames + ["X-Unknown", "A", "X-Amz-Targets", "Content-Lengt"]

    @Test(
        "refuses a line feed without a carriage return, anywhere in a head",
        arguments: [
            Refused("first", "\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
            Refused("in the target", "POST /\n HTTP/1.1\r\nHost: a\r\n\r\n", .bareLineFeed),
            Refused("after the request line", "POST / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed),
            Refused("in a name", "POST / HTTP/1.1\r\nHo\nst: a\r\n\r\n", .bareLineFeed),
            Refused("in a value", "POST / HTTP/1.1\r\nHost: a\r\nX: b\nc: d\r\n\r\n", .bareLineFeed),
            Refused("after a value", "POST / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", .bareLineFeed),
            Refused("after the last value", "POST / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed),
            Refused("as the empty line", "POST / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
            Refused("everywhere", "POST / HTTP/1.1\nHost: a\n\n", .bareLineFeed),
        ])
    func bareLineFeed(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "refuses a folded field (RFC 9112, section 5.2)",
        arguments: [
            Refused("with a space", "POST / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", .foldedField),
            Refused("with a tab", "POST / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", .foldedField),
            Refused("of white space alone", "POST / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", .foldedField),
            Refused(
                "that looks like a field", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 5\r\n\r\n", .foldedField),
            Refused("before the first field", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", .foldedField),
        ])
    func folded(_ refused: Refused) { expectRefused(refused) }

    @Test(
        "refuses what is no name with a colon directly behind it",
        arguments: [
            Refused("an empty name", "POST / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", .fieldName),
            Refused("no colon", "POST / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n", .fieldName),
            Refused("no colon, and one in the next line", "POST / HTTP/1.1\r\nnothing\r\nHost: a\r\n\r\n", .fieldName),
            Refused("no colon in a known name", "POST / HTTP/1.1\r\nHost: a\r\nExpect\r\n\r\n", .fieldName),
            Refused(
                "a carriage return alone in a line", "POST / HTTP/1.1\r\nHost: a\r\n\r\r\nX: b\r\n\r\n", .fieldName),
        ])
    func colon(_ refused: Refused) { expectRefused(refused) }

    @Test("refuses white space before the colon", arguments: names)
    func spaceBeforeColon(name: String) {
        for space in [" ", "\t", "  "] {
            expectRefused(Refused(name, "POST / HTTP/1.1\r\n\(name)\(space): a\r\nHost: a\r\n\r\n", .fieldName))
        }
    }

    @Test("refuses every byte in a name that is not of a token (RFC 9110, section 5.6.2)", arguments: names)
    func nameBytes(name: String) {
        let token = Set("!#$%&'*+-.^_`|~0123456789".unicodeScalars.map { UInt8($0.value) })
        for byte in UInt8.min...UInt8.max {
            let isLetter = (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            // A line feed is another fault, and a colon ends the name.
            if isLetter || token.contains(byte) || byte == 0x0a || byte == UInt8(ascii: ":") { continue }
            let inside = text(bytes(name) + [byte, UInt8(ascii: "x")])
            expectRefused(
                Refused("\(byte)", "POST / HTTP/1.1\r\nHost: a\r\n\(inside): v\r\n\r\n", .fieldName))
        }
    }

    @Test(
        "takes no name for a known one that has another byte in the place of a hyphen", arguments: KnownField.allNames)
    func hyphens(name: String) {
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "-") && byte != UInt8(ascii: ":") && byte != 0x0a {
            let other = text(bytes(name).map { $0 == UInt8(ascii: "-") ? byte : $0 })
            guard other != name else { continue }
            let request = bytes("POST / HTTP/1.1\r\nHost: a\r\n\(other): 5\r\n\r\n")
            var decoder = RequestDecoder()
            var head = RequestHead()
            if case .request = decoder.next(request.span, head: &head, limits: HTTPLimits()) {
                for field in KnownField.allCases where field != .host { #expect(head[field] == nil, "byte \(byte)") }
                #expect(CharacterClass.isToken(byte), "byte \(byte) in a name")
            }
        }
    }

    @Test("refuses every control character in a value but a tab, wherever it stands", arguments: names)
    func valueBytes(name: String) {
        for byte in [UInt8](0x00...0x1f) + [0x7f] where byte != 0x09 && byte != 0x0a {
            // Values are read eight bytes at a time, so every place in a word is tried.
            for place in 0..<10 {
                let value = String(repeating: "v", count: place) + text([byte]) + String(repeating: "v", count: 9)
                expectRefused(Refused("\(byte)", "POST / HTTP/1.1\r\n\(name): \(value)\r\n\r\n", .fieldValue))
            }
        }
    }

    @Test("accepts every other byte in a value")
    func otherValueBytes() {
        for byte in UInt8.min...UInt8.max where byte == 0x09 || (byte >= 0x20 && byte != 0x7f) {
            let value = "1234567" + text([byte]) + "9"
            #expect(decodeBothWays(post("X: \(value)\r\n")).requests.map(\.fields) == [["Host: a", "X: \(value)"]])
        }
    }

    @Test(
        "refuses a carriage return that no line feed follows",
        arguments: [
            Refused("in a value", post("X: a\rb\r\n"), .fieldValue),
            Refused("before a field's look-alike", post("X: a\rContent-Length: 5\r\n", "hello"), .fieldValue),
            Refused("at the end of a value", post("X: a\r\r\n"), .fieldValue),
            Refused("in place of the empty line", "POST / HTTP/1.1\r\nHost: a\r\rX: b\r\n\r\n", .fieldValue),
        ])
    func bareCarriageReturn(_ refused: Refused) { expectRefused(refused) }

    @Test("knows each known name in any case, and puts its value where it belongs", arguments: KnownField.allCases)
    func known(field: KnownField) throws {
        let name = KnownField.allNames[field.rawValue]
        for spelling in [name.lowercased(), name.uppercased(), name] {
            let value = ["Host": "h", "Content-Length": "0", "Transfer-Encoding": "chunked", "Expect": "100-continue"]
            let host = field == .host ? "" : "Host: a\r\n"
            let end = field == .transferEncoding ? "0\r\n\r\n" : ""
            let request = bytes("POST / HTTP/1.1\r\n\(host)\(spelling): \(value[name] ?? "v")\r\n\r\n\(end)")
            var decoder = RequestDecoder()
            var head = RequestHead()
            guard case .request = decoder.next(request.span, head: &head, limits: HTTPLimits()) else {
                Issue.record("\(spelling) is refused")
                return
            }
            let range = try #require(head[field])
            #expect(text(request[range]) == value[name] ?? "v")
        }
    }

    @Test(
        "looks at each host, whatever the one before it was",
        arguments: [
            "", "a b", "a,", "a.example:8o", "a.example:80:", "[::1", "a.exampl\u{e9}",
            String(repeating: "a", count: 300) + " b",
        ])
    func hosts(bad: String) {
        let good = ["a.example:80", "a.example", "a.example", "b", String(repeating: "a", count: 300), "[::1]:80"]
        func stream(_ hosts: [String]) -> String {
            hosts.map { "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n" }.joined()
        }
        for count in 0...good.count {
            let decoded = decodeBothWays(stream(good.prefix(count) + [bad] + good))
            #expect(decoded.requests.count == count)
            #expect(decoded.end == .refused(.host))
        }
        #expect(decodeBothWays(stream(good + good)).requests.count == 2 * good.count)
    }
}

extension KnownField {
    /// In the order of the cases.
    static let allNames = [
        "Host", "Content-Length", "Transfer-Encoding", "Connection", "Expect", "Content-Type", "Content-Encoding",
        "Authorization",
        "Cache-Control", "User-Agent", "X-Amz-Target", "X-Amz-Date", "X-Amz-Security-Token", "amz-sdk-request",
        "amz-sdk-invocation-id", "Origin", "Sec-Fetch-Site", "Forwarded", "X-Forwarded-For", "X-Real-IP",
        "traceparent", "tracestate",
    ]
}
