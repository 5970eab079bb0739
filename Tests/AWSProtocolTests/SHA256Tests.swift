import Testing

@testable import AWSProtocol

@Suite("A hash")
struct SHA256Tests {
    private func hexadecimal(_ digest: SHA256.Digest) -> String {
        digest.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(
        "is that of the examples of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                String(repeating: "a", count: 1_000_000),
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
            ),
        ])
    func examples(text: String, digest: String) {
        #expect(hexadecimal(SHA256.hash(Array(text.utf8).span)) == digest)
    }

    @Test("is the same however its text comes, and a copy goes on by itself", arguments: [0, 1, 63, 64, 65, 200])
    func pieces(length: Int) {
        let text = (0..<length).map { UInt8($0) }
        let whole = SHA256.hash(text.span).bytes
        for cut in 0...length {
            var first = SHA256()
            first.update(text.span.extracting(first: cut))
            var second = first
            first.update(text.span.extracting(droppingFirst: cut))
            #expect(first.finalize().bytes == whole)
            second.update([UInt8](repeating: 7, count: 100).span)
            #expect(cut == length || second.finalize().bytes != whole)
        }
    }

    @Test(
        "with a key is that of RFC 4231, section 4",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ])
    func codes(key: [UInt8], text: String, code: String) {
        #expect(hexadecimal(HMACKey(key).code(Array(text.utf8).span)) == code)
    }
}
