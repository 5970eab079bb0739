import Testing

@testable import OriginClient

/// Where a reply ends, whatever the pieces it arrives in.
@Suite("A reply in pieces")
struct ReplyReaderTests {
    /// What becomes of bytes, and of the connection's end after them.
    struct Outcome: Equatable, CustomTestStringConvertible {
        var body: String?
        var fault: CurlError?
        var hasSurplus = false
        var keepsConnection = false

        var testDescription: String { body ?? fault.map { "\($0)" } ?? "nothing" }
    }

    private static func read(_ pieces: [ArraySlice<UInt8>]) -> Outcome {
        var collector = ReplyCollector(maxBodyBytes: 100)
        var reader = ReplyReader()
        for piece in pieces {
            switch reader.take(Array(piece).span, into: &collector) {
            case .more: continue
            case .done(let mayBeFollowed): return outcome(reader, collector, mayBeFollowed: mayBeFollowed)
            case .refused: return Outcome(fault: collector.fault)
            }
        }
        return reader.end()
            ? outcome(reader, collector) : Outcome(fault: reader.hasBegun ? .cutShort : .nothingReceived)
    }

    private static func outcome(
        _ reader: ReplyReader, _ collector: ReplyCollector, mayBeFollowed: Bool = false
    ) -> Outcome {
        let keeps = collector.keepsConnection && mayBeFollowed
        let reply = collector.reply(status: nil)
        return Outcome(
            body: reply.map { String(decoding: $0.body, as: UTF8.self) }, hasSurplus: reader.hasSurplus,
            keepsConnection: keeps)
    }

    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"

    @Test("keeps the fields that are named, in any case, and no others")
    func keptFields() {
        let head = Self.ok + "DATE: 1\r\nDaten: 2\r\nX-A: 3\r\nx-b: 4\r\nX-: 5\r\nContent-Length: 0\r\n\r\n"
        var collector = ReplyCollector(maxBodyBytes: 0, keeping: KeptFields(["x-b", "date"]))
        var reader = ReplyReader()
        _ = reader.take(head.utf8.span, into: &collector)
        #expect(collector.reply(status: nil)?.fields.map { "\($0.name): \($0.value)" } == ["date: 1", "x-b: 4"])
    }

    static let replies: [(String, Outcome)] = [
        (ok + "Content-Length: 2\r\n\r\n{}", Outcome(body: "{}", keepsConnection: true)),
        (ok + "Content-Length: 0\r\n\r\n", Outcome(body: "", keepsConnection: true)),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", Outcome(body: "{}", keepsConnection: true)),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", Outcome(body: "{}", keepsConnection: true)),
        (ok + "Connection: Close\r\nContent-Length: 2\r\n\r\n{}", Outcome(body: "{}")),
        (ok + "Connection: x, close\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", Outcome(body: "{}")),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", Outcome(body: "{}")),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}",
            Outcome(body: "{}", keepsConnection: true)
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}",
            Outcome(body: "{}", keepsConnection: true)
        ),
        (
            "HTTP/1.1 103 x\r\nConnection: close\r\n\r\n" + chunked + "0\r\n\r\n",
            Outcome(body: "", keepsConnection: true)
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", Outcome(body: "", keepsConnection: true)),
        ("HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", Outcome(body: "")),
        (ok + "\r\n{}", Outcome(body: "{}")),
        (ok + "\r\n", Outcome(body: "")),
        (chunked + "2\r\n{}\r\n0\r\n\r\n", Outcome(body: "{}", keepsConnection: true)),
        (chunked + "1\r\n{\r\n001\r\n}\r\n000\r\n\r\n", Outcome(body: "{}", keepsConnection: true)),
        (chunked + "2;x=\"y\"\r\n{}\r\n0 \r\nTrailer: x\r\n\r\n", Outcome(body: "{}", keepsConnection: true)),
        (
            chunked + "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n",
            Outcome(body: "01234567890123456789", keepsConnection: true)
        ),
        (chunked + "0000000000000002\r\n{}\r\n0\r\n\r\n", Outcome(body: "{}", keepsConnection: true)),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Outcome(body: "")
        ),
        // What follows an end, or does not come.
        (ok + "Content-Length: 2\r\n\r\n{}HTTP", Outcome(body: "{}", hasSurplus: true)),
        (chunked + "0\r\n\r\n\r\n", Outcome(body: "", hasSurplus: true)),
        ("", Outcome(fault: .nothingReceived)),
        ("HTTP/1.1 20", Outcome(fault: .cutShort)),
        (ok + "Content-Length: 2", Outcome(fault: .cutShort)),
        (ok + "Content-Length: 2\r\n\r\n{", Outcome(fault: .cutShort)),
        (chunked + "2\r\n{}\r\n0\r\n", Outcome(fault: .cutShort)),
        ("HTTP/1.1 100 Continue\r\n\r\n", Outcome(fault: .cutShort)),
        // What is no reply.
        ("SSH-2.0-x", Outcome(fault: .badReply)),
        ("H", Outcome(fault: .cutShort)),
        ("\r\n" + ok + "\r\n", Outcome(fault: .badReply)),
        ("HTTP/1.2 200 OK\r\n\r\n", Outcome(fault: .badReply)),
        ("HTTP/2 200 OK\r\n\r\n", Outcome(fault: .badReply)),
        ("HTTP/1.1  200 OK\r\n\r\n", Outcome(fault: .badReply)),
        ("HTTP/1.1 2000 OK\r\n\r\n", Outcome(fault: .badReply)),
        ("HTTP/1.1 101 x\r\n\r\n", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Outcome(fault: .badReply)),
        (ok + "Content-Length: 101\r\n\r\n", Outcome(fault: .replyTooLarge)),
        (ok + "\r\n" + String(repeating: "x", count: 101), Outcome(fault: .replyTooLarge)),
        (chunked + "65\r\n" + String(repeating: "x", count: 101), Outcome(fault: .replyTooLarge)),
        ("http/1.1 200 OK\r\n\r\n", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\u{b}\r\n\r\n{}", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\r\n\r\n{}", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\nA\u{0}: b\r\n\r\n{}", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\nTransfer-Encoding : chunked\r\n\r\n{}", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\n: b\r\n\r\n{}", Outcome(fault: .badReply)),
        (ok + "Content-Length: 2\r\n \r\n\r\n{}", Outcome(fault: .badReply)),
        (chunked + "0\r\nno field\r\n\r\n", Outcome(fault: .badReply)),
        (chunked + "2;\rx\r\n{}\r\n", Outcome(fault: .badReply)),
        (chunked + "3\r\n{}\r\n0\r\n\r\n", Outcome(fault: .badReply)),
        (chunked + "2\n{}\r\n", Outcome(fault: .badReply)),
        (chunked + "00000000000000002\r\n{}\r\n", Outcome(fault: .badReply)),
        (chunked + "x\r\n", Outcome(fault: .badReply)), (chunked + "\r\n", Outcome(fault: .badReply)),
        (chunked + "0x2\r\n{}\r\n", Outcome(fault: .badReply)), (chunked + "-2\r\n{}\r\n", Outcome(fault: .badReply)),
        (chunked + " 2\r\n{}\r\n", Outcome(fault: .badReply)), (chunked + "2\r\r\n{}\r\n", Outcome(fault: .badReply)),
        (chunked + "2\r\n{}x\r\n", Outcome(fault: .badReply)),
        (chunked + "2\r\n{}0\r\n\r\n", Outcome(fault: .badReply)),
        (chunked + "ffffffffffffffff\r\n", Outcome(fault: .badReply)),
        (chunked + "10000000000000000\r\n", Outcome(fault: .badReply)),
        (chunked + "2;" + String(repeating: "x", count: 2000), Outcome(fault: .badReply)),
    ]

    @Test("comes to the same at every cut, and byte by byte", arguments: replies.indices)
    func pieces(index: Int) {
        let (text, outcome) = Self.replies[index]
        let bytes = Array(text.utf8)
        #expect(Self.read([bytes[...]]) == outcome, "\(text)")
        var single = outcome
        // A reader stops at the end, so that it does not see what comes later.
        single.hasSurplus = false
        single.keepsConnection = outcome.keepsConnection || outcome.hasSurplus
        #expect(Self.read(bytes.indices.map { bytes[$0...$0] }) == single, "\(text)")
        for cut in bytes.indices {
            let seen = Self.read([bytes[..<cut], bytes[cut...]])
            #expect(seen == outcome || outcome.hasSurplus && seen == single, "\(cut): \(text)")
        }
    }

    @Test("is given up when a line has no end", arguments: ["HTTP/1.1 200 ", ok + "X: ", chunked + "0\r\nX: "])
    func endlessLine(start: String) {
        let filler = Array(repeating: UInt8(ascii: "x"), count: 1000)
        let pieces = [Array(start.utf8)[...]] + Array(repeating: filler[...], count: 80)
        #expect(Self.read(pieces) == Outcome(fault: .headTooLarge))
    }
}

@Suite("What a request names")
struct RequestTargetTests {
    static let targets = [
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", "/"), ("http://a.example", "a.example", "/"),
        ("http://a.example:80/x", "a.example", "/x"), ("https://a.example:443/", "a.example", "/"),
        ("https://a.example:80/", "a.example:80", "/"), ("HTTP://A-1.example/", "A-1.example", "/"),
        ("http://[::1]:8080/a?b=c", "[::1]:8080", "/a?b=c"), ("http://[::1]/", "[::1]", "/"),
        ("http://a.example?b", "a.example", "/?b"),
    ]

    @Test("is the authority, without the scheme's own port, and the path", arguments: targets)
    func target(url: String, authority: String, path: String) throws {
        let target = try #require(RequestTarget(url: url))
        #expect(String(decoding: target.authority, as: UTF8.self) == authority)
        #expect(String(decoding: target.path, as: UTF8.self) == path)
    }

    @Test(
        "is left to libcurl where it is uncommon",
        arguments: [
            "", "a.example", "ftp://a.example/", "http://", "http:///x", "http://u@a.example/", "http://u:p@a.example/",
            "http://a.example/#x", "http://a.example/a b", "http://a.example/\r\n", "http://a.example/\u{e9}",
            "http://b\u{fc}cher.example/", "http://a.example:/", "http://a.example:x/", "http://a.example:1234567/",
            "http://[::1/", "http://[fe80::1%25eth0]/", "http://a_b.example/", "http://a.example\\x/",
        ])
    func uncommon(url: String) { #expect(RequestTarget(url: url) == nil) }

    @Test("stands in a request with its fields, Host and Content-Length")
    func request() throws {
        let target = try #require(RequestTarget(url: "http://a.example/x"))
        func text(_ method: HTTPMethod, _ fields: [(name: String, value: String)]) throws -> String {
            var bytes: [UInt8] = []
            target.write(method, try HeaderLines(fields), body: Array("{}".utf8), to: &bytes)
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(
            try text(.post, [("X", "1"), ("Empty", " "), ("Content-Length", "9")])
                == "POST /x HTTP/1.1\r\nHost: a.example\r\nX: 1\r\nEmpty:\r\nContent-Length: 2\r\n\r\n{}")
        #expect(
            try text(.post, [("hOST", "b")]) == "POST /x HTTP/1.1\r\nhOST: b\r\nContent-Length: 2\r\n\r\n{}")
        #expect(try text(.get, []) == "GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
    }
}
