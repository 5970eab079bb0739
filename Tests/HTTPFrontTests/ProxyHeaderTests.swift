import Primitives
import Testing

@testable import HTTPFront

@Suite("The header of the PROXY protocol")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

    private static func header(_ client: String, _ length: Int) -> ProxyHeader.Reading {
        header(IPAddress(client.utf8).map { .client($0) } ?? .unknown, length)
    }

    private static func header(_ origin: ProxyHeader.Origin, _ length: Int) -> ProxyHeader.Reading {
        .header(ProxyHeader(origin: origin, length: length))
    }

    /// Version 2 with these addresses, and so many bytes behind them.
    static func binary(command: UInt8 = 1, family: UInt8, addresses: [UInt8], extra: Int = 0) -> [UInt8] {
        let rest = addresses + [UInt8](repeating: 0, count: extra)
        return signature + [0x20 | command, family, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    @Test("names the client in a line of version 1")
    func lines() {
        let line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"
        #expect(ProxyHeader.read(bytes(line + "GET / HTTP/1.1\r\n")) == Self.header("192.0.2.1", line.utf8.count))
        let other = "PROXY TCP6 2001:db8::1 2001:db8::2 65535 0\r\n"
        #expect(ProxyHeader.read(bytes(other)) == Self.header("2001:db8::1", other.utf8.count))
        #expect(ProxyHeader.read(bytes("PROXY UNKNOWN\r\n")) == Self.header(.unknown, 15))
        #expect(ProxyHeader.read(bytes("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\nx")) == Self.header(.unknown, 35))
    }

    @Test("names the client in the bytes of version 2, whatever follows the addresses")
    func binaries() {
        let ipv4 = Self.binary(family: 0x11, addresses: [192, 0, 2, 1, 198, 51, 100, 7, 1, 2, 3, 4], extra: 9)
        #expect(ProxyHeader.read(ipv4 + [22, 3]) == Self.header("192.0.2.1", 16 + 12 + 9))
        let addresses = [UInt8]([0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 11) + [1])
        let ipv6 = Self.binary(family: 0x21, addresses: addresses + addresses + [0, 1, 0, 2])
        #expect(ProxyHeader.read(ipv6) == Self.header("2001:db8::1", 52))
        #expect(ProxyHeader.read(Self.binary(command: 0, family: 0, addresses: [])) == Self.header(.proxy, 16))
        #expect(ProxyHeader.read(Self.binary(family: 0x31, addresses: [], extra: 216)) == Self.header(.unknown, 232))
    }

    @Test("is incomplete at each of its bytes but the last, and complete then")
    func pieces() {
        let all = [
            bytes("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
            Self.binary(family: 0x11, addresses: [192, 0, 2, 1, 198, 51, 100, 7, 1, 2, 3, 4], extra: 30),
        ]
        for header in all {
            for count in header.indices { #expect(ProxyHeader.read(header[..<count]) == .incomplete) }
            #expect(ProxyHeader.read(header) == Self.header("192.0.2.1", header.count))
        }
    }

    @Test(
        "is absent where HTTP or TLS begins",
        arguments: ["GET / HTTP/1.1", "PRI * HTTP/2.0", "\u{16}\u{3}\u{1}", "P0", "PROXZ", "\r\n\r\nGET"])
    func absence(text: String) { #expect(ProxyHeader.read(bytes(text)) == .absent) }

    @Test(
        "is malformed if anything of it is",
        arguments: [
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n", "PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n",
            "PROXY TCP6 192.0.2.1 198.51.100.7 1 2\r\n", "PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n", "PROXY \r\n",
            "PROXY TCP4 a b 1 2\r\n",
            "PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n", "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n", "PROXY \n",
            "PROXY " + String(repeating: "x", count: 101),
        ])
    func faults(text: String) { #expect(ProxyHeader.read(bytes(text)) == .malformed) }

    @Test("is malformed if its version, command or length is")
    func binaryFaults() {
        let good = Self.binary(family: 0x11, addresses: [192, 0, 2, 1, 198, 51, 100, 7, 1, 2, 3, 4])
        for (place, byte) in [(12, 0x11), (12, 0x22), (14, 0xff), (15, 11)] as [(Int, UInt8)] {
            var bad = good
            bad[place] = byte
            #expect(ProxyHeader.read(bad) == .malformed)
        }
    }

    @Test("is read whatever the bytes are")
    func noise() {
        var random = SystemRandomNumberGenerator()
        for start in [Self.signature, bytes("PROXY ")] {
            for _ in 0..<2000 {
                let rest = (0..<Int.random(in: 0..<140)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                if case .header(let header) = ProxyHeader.read(start + rest) {
                    #expect(header.length <= start.count + rest.count)
                }
            }
        }
    }
}
