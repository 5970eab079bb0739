import Testing

@testable import AWSProtocol

@Suite("The Authorization field")
struct SignatureHeaderTests {
    static let signature = String(repeating: "0123456789abcdef", count: 4)
    static let good =
        "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/voiceid/aws4_request, SignedHeaders=host;x-amz-date, "
        + "Signature=\(signature)"

    private func parts(_ text: String) throws(SignatureFault) -> [String] {
        let bytes = Array(text.utf8)
        let header = try SignatureHeader(bytes.span, bytes.indices)
        return [header.keyID, header.day, header.region, header.service, header.signedNames, header.signature].map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
    }

    @Test("is taken apart")
    func parts() throws {
        #expect(
            try parts(Self.good)
                == ["AKID", "20150830", "us-east-1", "voiceid", "host;x-amz-date", Self.signature])
    }

    @Test(
        "may have its parameters in any order, with blanks around the commas or none",
        arguments: [
            "AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/voiceid/aws4_request,SignedHeaders=host;x-amz-date,Signature=",
            "AWS4-HMAC-SHA256  Credential=AKID/20150830/us-east-1/voiceid/aws4_request \t, SignedHeaders=host;x-amz-date,  Signature=",
        ])
    func spellings(_ start: String) throws {
        #expect(try parts(start + Self.signature) == parts(Self.good))
    }

    @Test(
        "may name any fields that stand in order",
        arguments: ["a", "a;b", "a;a-;a-b;aa", "content-type;host;x-amz-date"])
    func signedNames(_ names: String) throws {
        #expect(try parts(Self.good.replacing("host;x-amz-date", with: names))[4] == names)
    }

    @Test("may have a key id with slashes")
    func slashes() throws {
        #expect(try parts(Self.good.replacing("AKID", with: "a/b/c"))[0] == "a/b/c")
    }

    @Test(
        "is refused if anything of it is missing, repeated or malformed",
        arguments: [
            "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "Bearer token", "AWS AKID:c2ln",
            good.replacing("AWS4-HMAC-SHA256", with: "AWS4-ECDSA-P256-SHA256"),
            good.replacing("AWS4-HMAC-SHA256 ", with: "AWS4-HMAC-SHA256"),
            good.replacing("Credential=", with: "credential="),
            good.replacing("/aws4_request", with: ""), good.replacing("aws4_request", with: "aws5_request"),
            good.replacing("20150830", with: "2015083"), good.replacing("us-east-1", with: ""),
            good.replacing("voiceid", with: ""), good.replacing("AKID", with: ""),
            good.replacing("AKID", with: String(repeating: "A", count: 129)),
            good.replacing("host;x-amz-date", with: ""), good.replacing("host;x-amz-date", with: "host;host"),
            good.replacing("host;x-amz-date", with: "x-amz-date;host"),
            good.replacing("host;x-amz-date", with: "Host;x-amz-date"),
            good.replacing("host;x-amz-date", with: "host;host-;host"),
            good.replacing("host;x-amz-date", with: "host;"), good.replacing("host;x-amz-date", with: ";host"),
            good.replacing("host;x-amz-date", with: "host;;x-amz-date"),
            good.replacing("host;x-amz-date", with: String(repeating: "h;", count: 7800) + "h"),
            good.replacing("0123456789abcdef", with: ""), good + "0", good + ", Extra=1", good + ",",
            good + ", Signature=\(signature)", good.replacing(", SignedHeaders", with: " SignedHeaders"),
        ])
    func bad(_ text: String) {
        #expect {
            try parts(text)
        } throws: { error in
            if case .malformed? = error as? SignatureFault { true } else { false }
        }
    }
}
