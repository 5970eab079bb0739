import Testing

@testable import AWSProtocol

/// Those that AWS has published: the worked example of the documentation, and of its test suite for signers those that
/// bear on paths, queries and fields. The time is always 2015-08-30T12:36:00Z.
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
            with: Self.credentials, at: 1_440_938_160)
        #expect(added.map(\.name) == ["X-Amz-Date", "Authorization"])
        #expect(added.last?.value.hasSuffix("Signature=\(example.signature)") == true, "\(added)")
    }

    @Test("The signing key and the canonical request's hash are those of the documentation")
    func steps() {
        let day = Array("20150830".utf8)
        let key = SigningKey(
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", day: day.span,
            scope: SigningScope(region: "us-east-1", service: "iam"))
        var signature: [UInt8] = []
        let text = Array(
            """
            AWS4-HMAC-SHA256
            20150830T123600Z
            20150830/us-east-1/iam/aws4_request
            f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59
            """.utf8)
        key.appendSignature(of: text, to: &signature)
        #expect(
            String(decoding: signature, as: UTF8.self)
                == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
    }

    @Test("Keys longer than a block are hashed first (RFC 4231, test case 6)")
    func longKey() {
        let key = HMACKey([UInt8](repeating: 0xaa, count: 131))
        var code: [UInt8] = []
        key.code(Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8).span).appendHex(to: &code)
        #expect(
            String(decoding: code, as: UTF8.self)
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }
}
