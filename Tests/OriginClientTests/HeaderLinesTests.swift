import CCurl
import Testing

@testable import OriginClient

@Suite("Lines of a head")
struct HeaderLinesTests {
    private func text(_ lines: HeaderLines) -> String { String(decoding: lines.bytes, as: UTF8.self) }

    @Test("are the same whether they are written at once or one after the other")
    func added() throws {
        let fields = [("Host", "h"), ("Content-Type", "t"), ("Accept", "*/*"), ("X", "é 1")]
        var common = HeaderLines()
        for (name, value) in fields.prefix(2) { common.add(name, value.utf8.span) }
        var lines = HeaderLines(common, room: 1)
        for (name, value) in fields.dropFirst(2) { lines.add(name, value.utf8.span) }
        #expect(!lines.isFaulty)
        #expect(text(lines) == text(try HeaderLines(fields.map { (name: $0.0, value: $0.1) })))
        #expect(text(common) == "Host: h\r\nContent-Type: t\r\n")
        #expect(common.starts == [0, 9])
        #expect(common.hasHost)
        #expect(lines.has("accept"))
        #expect(!lines.has("accep") && !lines.has("content"))
    }

    @Test("are faulty from a value on that would be more than one line", arguments: ["a\r\nB: c", "\n", "a\r", "a\0"])
    func faulty(_ value: String) throws {
        var lines = HeaderLines()
        lines.add("Host", value.utf8.span)
        #expect(lines.isFaulty)
        var more = HeaderLines(lines, room: 0)
        more.add("Accept", "*/*".utf8.span)
        #expect(more.isFaulty)
        let transfer = try #require(CurlTransfer())
        let endpoint = Endpoint(
            url: "http://127.0.0.1/", http2: .off, caBundle: nil, proxy: nil, maxConnections: 1, connectTimeout: 1)
        let request = AttemptRequest(
            endpoint: endpoint, fields: [], lines: more, body: [], timeout: 1, maxReplyBytes: 1)
        #expect(throws: CurlError.badField) { try transfer.prepare(request, id: 1, slot: 0, deadline: .max) }
    }

    @Test("reach libcurl as it wants them: a value that ends with a colon is none that is empty")
    func dialect() throws {
        let fields = [("A", "b:"), ("C", ":"), ("D", ""), ("E", "f")]
        let memory = CurlMemory()
        let request = memory.fill(try HeaderLines(fields.map { (name: $0.0, value: $0.1) }), body: [])
        let lines = withExtendedLifetime(memory) {
            sequence(first: request.list) { $0?.pointee.next }.prefix { $0 != nil }.compactMap { link in
                link.map { String(cString: $0.pointee.data) }
            }
        }
        #expect(lines == ["A: b:", "C: :", "D;", "E: f", "expect:", "accept:", "content-type:"])
    }
}
