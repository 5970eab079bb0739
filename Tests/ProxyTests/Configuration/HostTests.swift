import Testing

@testable import JobsProxy

@Suite("Hosts")
struct HostTests {
    @Test(
        "are valid",
        arguments: [
            "localhost", "a", "a.b-c.d", "my_service", "example.com", "1a.2b", "127.0.0.1", "255.255.255.255", "::",
            "::1", "1::",
            "2001:db8::1", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7::", "FE80::A",
        ])
    func valid(host: String) {
        #expect(Host.isValid(host))
    }

    @Test(
        "are refused",
        arguments: [
            "", ".", "a..b", "-a", "a-", "a b", "ä.example", "a/b", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4",
            "127.1", "0", "1e3.0x7f",
            "0x7f000001", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "::1.2.3",
            "1.2.3.4::", "::ffff:1.2.3.4:1",
            "fe80::1%eth0", ":1", "1:", "1:2:3:4:5:6:7:8::",
        ])
    func invalid(host: String) {
        #expect(!Host.isValid(host))
    }

    @Test(
        "are this machine's own",
        arguments: ["localhost", "LocalHost", "127.0.0.1", "127.9.8.7", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"])
    func loopback(host: String) {
        #expect(Host.isLoopback(host))
    }

    @Test(
        "can be reached from elsewhere",
        arguments: [
            "0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "localhost.example", "::2", "::ffff:10.0.0.1", "::127.0.0.1", "",
        ])
    func elsewhere(host: String) {
        #expect(!Host.isLoopback(host))
    }

    @Test("stand in an origin with the port only where it is not the scheme's")
    func authority() {
        #expect("\(Configuration.Origin(scheme: .https, host: "a.example", port: 443))" == "https://a.example")
        #expect("\(Configuration.Origin(scheme: .http, host: "::1", port: 8_080))" == "http://[::1]:8080")
    }
}
