import NIOSSL
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

    @Test("has its other names told as text, each kind that has one")
    func alternativeNames() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let names =
            "DNS:a.example,URI:spiffe://example/dashboard,email:a@example.net,IP:10.1.2.3,IP:2001:db8::1,RID:1.2.3.4"
        let pair = try await certificates.client(
            "client", subject: "/CN=a", names: names, by: authority)
        #expect(
            try read(pair).subjectAlternativeNames == [
                "a.example", "spiffe://example/dashboard", "a@example.net", "10.1.2.3", "2001:db8::1",
            ])
    }

    @Test("may have no other names, and is not read from bytes that are none")
    func none() async throws {
        let (certificates, authority, _) = try await TestCertificates.copy()
        let pair = try await certificates.client("client", subject: "/CN=a", by: authority)
        #expect(try read(pair).subjectAlternativeNames == [])
        let whole = try #require(NIOSSLCertificate.fromPEMFile(pair.certificate).first).toDERBytes()
        for end in 0..<whole.count {
            #expect(throws: (any Error).self) { try PeerCertificate(der: Array(whole[..<end])) }
        }
        #expect(throws: (any Error).self) { try PeerCertificate(der: [0x30, 0x00]) }
        #expect(throws: (any Error).self) { try PeerCertificate(der: [0x30, 0x02, 0x30, 0x00]) }
    }
}
