import NIOSSL
import Primitives
import Testing

@testable import HTTPFront

@Suite("A client certificate", .timeLimit(.minutes(1)))
struct PeerCertificateTests {
    private func read(_ pair: TestCertificates.Pair) throws -> PeerCertificate {
        let certificate = try #require(NIOSSLCertificate.fromPEMFile(pair.certificate).first)
        return try PeerCertificate(der: certificate.toDERBytes())
    }

    @Test(
        "has its subject written as OpenSSL writes it by RFC 2253, which RFC 4514 replaces",
        arguments: [
            (
                "/C=DE/ST=Bayern/L=Nürnberg/O=Example/OU=Risk/CN=dashboard",
                "CN=dashboard,OU=Risk,O=Example,L=Nürnberg,ST=Bayern,C=DE"
            ),
            (#"/CN=a, b\+c"d<e>f;g\\h"#, #"CN=a\, b\+c\"d\<e\>f\;g\\h"#),
            ("/CN= #both ends ", #"CN=\ #both ends\ "#),
            ("/CN=#first", ##"CN=\#first"##),
            ("/DC=net/DC=example/UID=jdoe+CN=John", "UID=jdoe+CN=John,DC=example,DC=net"),
            ("/CN=a/emailAddress=a@example.net/serialNumber=7", "serialNumber=7,emailAddress=a@example.net,CN=a"),
            ("/CN=a/title=Dr/GN=Ada/SN=Byron", "SN=Byron,GN=Ada,title=Dr,CN=a"),
            ("/CN=two\nlines", #"CN=two\0Alines"#),
        ])
    func subject(subject: String, expected: String) async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let pair = try await certificates.client("client", subject: subject, by: authority)
        #expect(try read(pair).subject == expected)
        let arguments = ["x509", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb", "-in", pair.certificate]
        let shown = try await TestCertificates.openssl(arguments)
        #expect(shown == "subject=\(expected)\n")
    }

    @Test("has a part of its subject that has no short name written as OID and encoding")
    func unknownType() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let pair = try await certificates.client("client", subject: "/CN=a/description=private", by: authority)
        #expect(try read(pair).subject == "2.5.4.13=#0C0770726976617465,CN=a")
    }

    @Test("has its other names told by their kinds")
    func alternativeNames() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let names =
            "DNS:a.example,URI:spiffe://example/dashboard,email:a@example.net,IP:10.1.2.3,IP:2001:db8::1,RID:1.2.3.4"
        let pair = try await certificates.client(
            "client", subject: "/CN=a", names: names, by: authority)
        #expect(
            try read(pair).names.dropFirst() == [
                .dns("a.example".utf8), .uri("spiffe://example/dashboard".utf8), .email("a@example.net".utf8),
                .ip(try #require(IPAddress("10.1.2.3".utf8))), .ip(try #require(IPAddress("2001:db8::1".utf8))),
            ])
    }

    @Test("has no name of another kind than it says, and none that only looks the same")
    func kinds() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        // U+212A, the sign of kelvin, is `K` to Unicode; é is one scalar here and two there.
        let pair = try await certificates.client(
            "client", subject: "/CN=bac\u{212a}up/O=caf\u{e9}",
            names: "DNS:10.0.0.1,URI:b.example,email:c.example,DNS:D.Example,email:E@F.Example", by: authority)
        let names = try read(pair).names
        for name in [
            PeerCertificate.Name.dns("10.0.0.1".utf8), .uri("b.example".utf8), .email("c.example".utf8),
            .dns("d.EXAMPLE".utf8), .email("E@f.example".utf8), .subject("O=caf\u{e9},CN=bac\u{212a}up".utf8),
        ] {
            #expect(names.contains(name))
        }
        for name in [
            PeerCertificate.Name.ip(try #require(IPAddress("10.0.0.1".utf8))), .dns("b.example".utf8),
            .dns("c.example".utf8), .uri("D.Example".utf8), .email("e@f.example".utf8),
            .subject("O=caf\u{e9},CN=bacKup".utf8), .subject("O=cafe\u{301},CN=bac\u{212a}up".utf8),
        ] {
            #expect(!names.contains(name))
        }
    }

    @Test("may have no other names, and is not read from bytes that are none")
    func none() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let pair = try await certificates.client("client", subject: "/CN=a", by: authority)
        #expect(try read(pair).names == [.subject("CN=a".utf8)])
        let whole = try #require(NIOSSLCertificate.fromPEMFile(pair.certificate).first).toDERBytes()
        for end in 0..<whole.count {
            #expect(throws: (any Error).self) { try PeerCertificate(der: Array(whole[..<end])) }
        }
        #expect(throws: (any Error).self) { try PeerCertificate(der: [0x30, 0x00]) }
        #expect(throws: (any Error).self) { try PeerCertificate(der: [0x30, 0x02, 0x30, 0x00]) }
    }
}

extension PeerCertificate {
    /// The subject as text.
    var subject: String { names.first.map { String(decoding: $0.bytes, as: UTF8.self) } ?? "" }
}
