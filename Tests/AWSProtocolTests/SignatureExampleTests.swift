import Crypto
import Primitives
import Testing

@testable import AWSProtocol

/// The examples that AWS has published: that of the documentation, and those of its test suite for signers that concern
/// paths, queries and fields. The time is always 2015-08-30T12:36:00Z.
@Suite("Published examples of AWS Signature Version 4")
struct SignatureExampleTests {
    struct Example: Sendable, CustomTestStringConvertible {
        let name: String
        var method = "GET"
        var path = "/"
        var query = ""
        var fields: [(name: String, value: String)] = []
        var body = ""
        var service = "service"
        var host = "example.amazonaws.com"
        let signature: String

        var testDescription: String { name }
    }

    private static let credentials = AWSCredentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")

    static let examples = [
        Example(
            name: "ListUsers", query: "Action=ListUsers&Version=2010-05-08",
            fields: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")], service: "iam",
            host: "iam.amazonaws.com",
            signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
        Example(
            name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Example(
            name: "get-vanilla-query-order-key-case", query: "Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Example(
            name: "get-relative", path: "/example/..",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Example(
            name: "get-slashes", path: "//example//",
            signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"),
        Example(
            name: "get-utf8", path: "/\u{1234}",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Example(
            name: "post-vanilla", method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Example(
            name: "post-x-www-form-urlencoded", method: "POST",
            fields: [("Content-Type", "application/x-www-form-urlencoded")], body: "Param1=value1",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
        Example(
            name: "get-header-value-trim", fields: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    ]

    @Test("are signed as published", arguments: examples)
    func published(_ example: Example) {
        var signer = RequestSigner(scope: SigningScope(region: "us-east-1", service: example.service))
        let added = signer.sign(
            method: example.method, path: example.path, query: example.query,
            fields: [("Host", example.host)] + example.fields, body: Array(example.body.utf8),
            with: Self.credentials, at: WallInstant(seconds: 1_440_938_160))
        #expect(added.map(\.name) == ["X-Amz-Date", "Authorization"])
        #expect(added.last?.value.hasSuffix("Signature=\(example.signature)") == true, "\(added)")
    }

    @Test("The signing key and the canonical request's hash are those of the documentation")
    func steps() {
        let day = Array("20150830".utf8)
        var key = SigningKey(
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", day: day.span,
            scope: SigningScope(region: "us-east-1", service: "iam"))
        var request = CanonicalRequest()
        request.begin(
            method: "GET".utf8.span, path: "/".utf8.span, query: "Action=ListUsers&Version=2010-05-08".utf8.span)
        request.field("content-type".utf8.span, "application/x-www-form-urlencoded; charset=utf-8".utf8.span)
        request.field("host".utf8.span, "iam.amazonaws.com".utf8.span)
        request.field("x-amz-date".utf8.span, "20150830T123600Z".utf8.span)
        request.end(signedNames: "content-type;host;x-amz-date".utf8.span, content: Span())
        #expect(
            Self.text(HexDigest(SHA256.hash(request.bytes.span)))
                == "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59")
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        // The second signature reuses the memory of the first.
        for time in ["20150830T123601Z", "20150830T123600Z"] {
            let signed = key.sign(request, time: time.utf8.span)
            #expect(Self.isEqual(signed, Array(signature.utf8)) == (time == "20150830T123600Z"))
            #expect((Self.text(signed) == signature) == (time == "20150830T123600Z"))
        }
    }

    @Test("A digest is written in small hexadecimal digits, and compared with all of them")
    func digits() {
        for text in ["", "abc", "jobs"] {
            let digest = SHA256.hash(text.utf8.span)
            let digits = HexDigest(digest)
            let expected = digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(Self.text(digits) == expected)
            #expect(Self.isEqual(digits, Array(expected.utf8)))
            #expect(!Self.isEqual(digits, Array(expected.utf8.dropLast())))
            for place in 0..<64 {
                var other = Array(expected.utf8)
                other[place] ^= 1
                #expect(!Self.isEqual(digits, other))
            }
        }
    }

    private static func isEqual(_ digest: HexDigest, _ text: [UInt8]) -> Bool { digest.isEqual(to: text.span) }

    private static func text(_ digest: HexDigest) -> String {
        var text: [UInt8] = []
        text.append(digest)
        return String(decoding: text, as: UTF8.self)
    }

    @Test("Keys longer than a block are hashed first (RFC 4231, test case 6)")
    func longKey() {
        let key = HMACKey([UInt8](repeating: 0xaa, count: 131))
        let code = key.code("Test Using Larger Than Block-Size Key - Hash Key First".utf8.span)
        #expect(
            Self.text(HexDigest(code))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }
}
