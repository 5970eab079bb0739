import TestSupport

/// Makes streams of bytes that are almost requests.
struct Mutator {
    static let seeds = [
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nX: y\r\n\r\n",
        "GET http://b:80/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: [::1]:8\r\nX-Amz-Target: V.L\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "POST / HTTP/1.1\r\nhost:a\r\nContent-Type: t\r\nAuthorization: s \u{ff}\t, b\r\ncontent-length: 00\r\n\r\n",
    ].map(bytes)

    /// What has split parsers before.
    private static let fragments = [
        "\r", "\n", "\r\n", "\r\n\r\n", " ", "\t", ":", ";", ",", "=", "\"", "\u{0}", "\u{7f}", "\u{80}", "+", "-",
        "0x", "0",
        "5", "f", "1", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "Host: b\r\n", "chunked", "HTTP/1.1",
        "0\r\n\r\n", " \r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ].map(bytes)

    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func next() -> [UInt8] {
        var stream = pick(Self.seeds)
        if Int.random(in: 0..<4, using: &generator) == 0 { stream += pick(Self.seeds) }
        for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&stream) }
        return stream
    }

    private mutating func mutate(_ stream: inout [UInt8]) {
        let place = Int.random(in: 0...stream.count, using: &generator)
        let end = Int.random(in: place...min(place + 12, stream.count), using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: stream.insert(contentsOf: pick(Self.fragments), at: place)
        case 1: stream.replaceSubrange(place..<end, with: pick(Self.fragments))
        case 2: stream.removeSubrange(place..<end)
        case 3: stream.insert(contentsOf: stream[place..<end], at: place)
        case 4 where place < stream.count: stream[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 5 where place < stream.count: stream[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 6 where place > 0: stream.removeLast(stream.count - place)
        default: break
        }
    }

    private mutating func pick(_ choices: [[UInt8]]) -> [UInt8] { choices.randomElement(using: &generator) ?? [] }
}
