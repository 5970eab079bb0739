import TestSupport
import Testing

@testable import Credentials

@Suite("Addresses of sources")
struct WebAddressTests {
    @Test(
        "are taken apart and put together again",
        arguments: [
            ("http://localhost", "localhost", nil, "/", "", "http://localhost/"),
            ("HTTPS://Example.COM:443/a/b?c=d", "example.com", nil, "/a/b", "c=d", "https://example.com/a/b?c=d"),
            ("http://127.0.0.1:8080/x?", "127.0.0.1", 8080, "/x", "", "http://127.0.0.1:8080/x"),
            ("http://[FD00:ec2::23]:81/v1", "fd00:ec2::23", 81, "/v1", "", "http://[fd00:ec2::23]:81/v1"),
            ("https://a?b", "a", nil, "/", "b", "https://a/?b"),
        ] as [(String, String, UInt16?, String, String, String)])
    func good(text: String, host: String, port: UInt16?, path: String, query: String, url: String) throws {
        let address = try #require(WebAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.path == path)
        #expect(address.query == query)
        #expect(address.url == url)
    }

    @Test(
        "that could be read in two ways are refused",
        arguments: [
            "", "http:", "http://", "http:///x", "ftp://a/", "//a/", "http://user@a/", "http://user:pw@a/",
            "http://a@b:1/",
            "http://a\\@b/", "http://a#@b/", "http://a b/", "http://a\r\nX: y/", "http://a:0/", "http://a:65536/",
            "http://a:/",
            "http://a:1a/", "http://a:+1/", "http://[::1/", "http://[::1]x/", "http://[localhost]/", "http://%31/",
            "http://ä/",
            "http://a/\u{0}", "http://a/#b",
        ])
    func bad(text: String) {
        #expect(WebAddress(text) == nil)
    }

    @Test(
        "get a container's token in the clear only if they are the machine's own or AWS's",
        arguments: [
            ("https://anywhere.example/", true), ("http://localhost/", true), ("http://127.0.0.1/", true),
            ("http://127.255.0.3:9/", true), ("http://[::1]/", true), ("http://169.254.170.2/", true),
            ("http://169.254.170.23/", true), ("http://[fd00:ec2::23]/", true), ("http://anywhere.example/", false),
            ("http://169.254.169.254/", false), ("http://127.0.0.1.example/", false), ("http://127.1/", false),
            ("http://127.0.0.01/", false), ("http://127.0.0.256/", false), ("http://0.0.0.0/", false),
            ("http://localhost.example/", false), ("http://[::2]/", false), ("http://10.0.0.1/", false),
            ("http://127.0.0.1:80@evil.example/", false),
        ])
    func allowed(text: String, expected: Bool) {
        #expect((WebAddress(text).map(ContainerSource.isAllowed) ?? false) == expected)
    }

    @Test("mean the same when they are put together again, whatever they were made of")
    func mutations() {
        let texts = ["https://Example.com:8443/a/b?c=d&e", "http://[fd00:ec2::23]:80/v1/credentials?x"]
        var random = SeededGenerator(seed: 6)
        var read = 0
        for _ in 0..<10_000 {
            let bytes = mutated(Array((texts.randomElement(using: &random) ?? "").utf8), using: &random)
            guard let address = WebAddress(String(decoding: bytes, as: UTF8.self)) else { continue }
            read += 1
            #expect(WebAddress(address.url) == address)
        }
        #expect((500..<9_500).contains(read))
    }
}
