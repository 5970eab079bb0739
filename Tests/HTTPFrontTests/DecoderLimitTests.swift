import Testing

@testable import HTTPFront

@Suite("The request decoder keeps its limits")
struct DecoderLimitTests {
    private static let line = "POST / HTTP/1.1\r\nHost: a\r\n"

    private func letters(_ count: Int) -> String { String(repeating: "x", count: count) }

    /// Fields that together take exactly `size` bytes, each below the limit of a field.
    private func fields(bytes size: Int) -> String {
        var left = size
        var fields = ""
        while left > 0 {
            let length = left <= 16_000 ? left : min(left - 5, 16_000)
            fields += "X: \(letters(length - 5))\r\n"
            left -= length
        }
        return fields
    }

    @Test("100 fields pass, the 101st does not")
    func fieldCount() {
        let more = String(repeating: "X: y\r\n", count: 99)
        #expect(decodeBothWays(Self.line + more + "\r\n").requests.map(\.fields.count) == [100])
        expectRefused(Refused("101", Self.line + more + "X: y\r\n\r\n", .fieldsTooMany))
    }

    @Test("a field of 16 KiB passes, a field of one byte more does not")
    func fieldSize() {
        let exact = "X: " + letters(16 * 1024 - 3) + "\r\n"
        #expect(decodeBothWays(Self.line + exact + "\r\n").requests.count == 1)
        let more = "X: " + letters(16 * 1024 - 2) + "\r\n"
        expectRefused(Refused("value", Self.line + more + "\r\n", .headTooLarge))
        let name = letters(16 * 1024) + ":\r\n"
        expectRefused(Refused("name", Self.line + name + "\r\n", .headTooLarge))
        let blank = "X:" + String(repeating: " ", count: 16 * 1024 - 1) + "\r\n"
        expectRefused(Refused("white space", Self.line + blank + "\r\n", .headTooLarge))
    }

    @Test("a head of 32 KiB passes, a head of one byte more does not")
    func headSize() {
        let room = 32 * 1024 - Self.line.utf8.count - 2
        let exact = decodeBothWays(Self.line + fields(bytes: room) + "\r\n")
        #expect(exact.requests.map { bytes($0.head).count } == [32 * 1024])
        expectRefused(Refused("one more", Self.line + fields(bytes: room + 1) + "\r\n", .headTooLarge))
        expectRefused(Refused("twice", Self.line + fields(bytes: 2 * room) + "\r\n", .headTooLarge))
    }

    @Test("a head that does not end is refused at 32 KiB, not later")
    func endlessHead() {
        let start = Self.line + "X: "
        let waiting = start + letters(32 * 1024 - 1 - start.utf8.count)
        #expect(decodeBothWays(waiting).end == .waiting(32 * 1024 - 1))
        #expect(decodeBothWays(waiting + "x").end == .refused(.headTooLarge))
    }

    @Test("a request line of 16 KiB passes, one of one byte more does not (RFC 9112, section 3)")
    func requestLine() {
        func request(_ size: Int) -> String { "POST /\(letters(size - 15)) HTTP/1.1\r\nHost: a\r\n\r\n" }
        #expect(decodeBothWays(request(16 * 1024)).requests.count == 1)
        expectRefused(Refused("one more", request(16 * 1024 + 1), .targetTooLong))
        expectRefused(Refused("just inside a head", request(32 * 1024 - 20), .targetTooLong))
    }

    @Test("a request line beyond 32 KiB is too long a target, however it arrives")
    func hugeRequestLine() {
        let request = "POST /\(letters(40_000)) HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(decodeBothWays(request).end == .refused(.targetTooLong))
    }

    @Test("content of 64 KiB passes, content of one byte more is refused before it is sent")
    func contentSize() {
        let exact = decodeBothWays(post("Content-Length: 65536\r\n", letters(65_536)))
        #expect(exact.requests.map(\.content.utf8.count) == [65_536])
        expectRefused(Refused("one more", post("Content-Length: 65537\r\n"), .bodyTooLarge))
    }

    @Test("other limits than the default ones hold too")
    func configured() {
        var limits = HTTPLimits()
        limits.maxFields = 2
        limits.maxFieldBytes = 30
        limits.maxHeadBytes = 100
        limits.maxBodyBytes = 3
        #expect(decodeBothWays(post("Content-Length: 3\r\n", "abc"), limits: limits).requests.count == 1)
        expectRefused(Refused("content", post("Content-Length: 4\r\n"), .bodyTooLarge), limits: limits)
        expectRefused(Refused("fields", post("X: y\r\nX: y\r\n"), .fieldsTooMany), limits: limits)
        expectRefused(Refused("a field", post("X: \(letters(28))\r\n"), .headTooLarge), limits: limits)
        expectRefused(Refused("the head", post("X: \(letters(99))\r\n"), .headTooLarge), limits: limits)
        expectRefused(Refused("the target", "POST /\(letters(20)) HTTP/1.1\r\n\r\n", .targetTooLong), limits: limits)
    }

    @Test("the defaults are those of the documentation")
    func defaults() {
        let limits = HTTPLimits()
        #expect(limits.maxFields == 100)
        #expect(limits.maxFieldBytes == 16 << 10)
        #expect(limits.maxHeadBytes == 32 << 10)
        #expect(limits.maxBodyBytes == 64 << 10)
        #expect(limits.headTimeout == 5_000_000_000)
        #expect(limits.bodyTimeout == 10_000_000_000)
        #expect(limits.idleTimeout == 75_000_000_000)
        #expect(limits.maxConnections == 10_000)
        #expect(limits.maxConnectionsPerPeer == 0)
    }
}
