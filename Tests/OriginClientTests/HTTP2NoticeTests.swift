import Testing

@testable import OriginClient

@Suite("A notice of libcurl's")
struct HTTP2NoticeTests {
    private static let texts: [(String, HTTP2Notice?)] = [
        ("Using Stream ID: 3 (easy handle 0x555ff83bc210)\n", .stream(3)),
        ("[HTTP/2] [17] OPENED stream for https://a.example/\n", .stream(17)),
        ("recveived GOAWAY, error=0, last_stream=1\n", .goAway(last: 1)),
        ("received GOAWAY, error=2, last_stream=2147483647\n", .goAway(last: 2_147_483_647)),
        ("REFUSED_STREAM, retrying a fresh connect\n", .refused),
        ("Connection died, retrying a fresh connect (retry count: 1)\n", nil),
        ("HTTP/2 stream 3 was not closed cleanly: REFUSED_STREAM (err 7)\n", nil),
        ("Using Stream ID: \n", nil), ("Using Stream ID: 99999999999\n", nil), ("[HTTP/2] [x]\n", nil),
        ("received GOAWAY, error\n", nil), ("received GOAWAY, error=0, last_stream=\n", nil), ("", nil), ("\n", nil),
    ]

    @Test("is one of those few texts that tell of a stream", arguments: texts.indices)
    func meaning(index: Int) {
        let (text, notice) = Self.texts[index]
        #expect(HTTP2Notice(Array(text.utf8).span) == notice, "\(text)")
    }
}
