import Primitives
import Testing

@Suite("An IP address")
struct IPAddressTests {
    @Test(
        "is read from four decimal octets, or as RFC 4291 writes it",
        arguments: [
            ("10.0.0.1", [10, 0, 0, 1]), ("255.255.255.255", [255, 255, 255, 255]),
            ("::1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
            ("2001:DB8::10.0.0.1", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1]),
        ] as [(String, [UInt8])])
    func read(text: String, bytes: [UInt8]) {
        #expect(IPAddress(text.utf8)?.bytes == bytes)
    }

    @Test(
        "is nothing that resolvers take for one, or that holds more than one",
        arguments: [
            "", "127.1", "2130706433", "0x7f.0.0.1", "127.0.0.01", "127.0.0.1\0", "127.0.0.1 ", "[::1]", "::1%lo",
            ":::", "1:2:3:4:5:6:7", "localhost", "\u{ff11}27.0.0.1", String(repeating: "0", count: 64),
        ])
    func unread(text: String) {
        #expect(IPAddress(text.utf8) == nil)
    }

    @Test(
        "is one of loopback in 127.0.0.0/8, mapped into IPv6 too, and as ::1",
        arguments: [
            ("127.0.0.1", true), ("127.255.0.9", true), ("::1", true), ("::ffff:127.0.0.1", true), ("128.0.0.1", false),
            ("::2", false), ("::", false), ("::127.0.0.1", false), ("7f00::1", false), ("::ffff:10.0.0.1", false),
        ])
    func loopback(text: String, isLoopback: Bool) {
        #expect(IPAddress(text.utf8)?.isLoopback == isLoopback)
    }
}
