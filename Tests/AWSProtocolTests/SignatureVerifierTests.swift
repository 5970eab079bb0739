import Primitives
import Testing

@testable import AWSProtocol

@Suite("Verifying a signature")
struct SignatureVerifierTests {
    private static let scopes = [
        SigningScope(region: "us-east-1", service: "voiceid"), SigningScope(region: "eu-west-2", service: "voiceid"),
    ]
    private static let now: Int64 = 1_440_938_160
    private static let ring = KeyRing(
        keys: [
            KeyRing.Key(id: "SECOND", secret: "two", owner: 2), KeyRing.Key(id: "FIRST", secret: "one", owner: 1),
            KeyRing.Key(id: "FIRSTLY", secret: "three", owner: 3),
        ], scopes: scopes)

    /// Signs a request, verifies it, and returns the number of the caller.
    private func owner(
        id: String = "FIRST", secret: String = "one", scope: SigningScope = scopes[0], signedAt: Int64 = now,
        now: Int64 = now, scopeDay: String? = nil, using verifier: inout SignatureVerifier
    ) throws(SignatureFault) -> Int {
        var signer = RequestSigner(scope: scope)
        let fields = [(name: "host", value: "h")]
        let added = signer.sign(
            method: "POST", path: "/", query: "", fields: fields, body: [],
            with: AWSCredentials(accessKeyID: id, secretAccessKey: secret), at: WallInstant(seconds: signedAt))
        let date = Array(added[0].value.utf8)
        var authorization = added[1].value
        if let scopeDay {
            authorization = authorization.replacing("\(added[0].value.prefix(8))/", with: "\(scopeDay)/")
        }
        let bytes = Array(authorization.utf8)
        let claim = try verifier.claim(bytes.span)
        let moment = try verifier.check(claim, bytes.span, date: date.span, now: WallInstant(seconds: now))
        let nothing: [UInt8] = []
        verifier.canonical.begin(method: Array("POST".utf8).span, path: Array("/".utf8).span, query: nothing.span)
        for (name, value) in [("host", "h"), ("x-amz-date", added[0].value)] {
            verifier.canonical.field(Array(name.utf8).span, Array(value.utf8).span)
        }
        verifier.canonical.end(signedNames: Array("host;x-amz-date".utf8).span, content: nothing.span)
        return try verifier.verify(claim, bytes.span, date: date.span, at: moment)
    }

    private func owner(
        id: String = "FIRST", secret: String = "one", scope: SigningScope = scopes[0], signedAt: Int64 = now,
        scopeDay: String? = nil
    ) throws(SignatureFault) -> Int {
        var verifier = SignatureVerifier(Self.ring)
        return try owner(id: id, secret: secret, scope: scope, signedAt: signedAt, scopeDay: scopeDay, using: &verifier)
    }

    @Test("tells whose key it is")
    func owners() throws {
        #expect(try owner() == 1)
        #expect(try owner(id: "SECOND", secret: "two") == 2)
        #expect(try owner(id: "FIRSTLY", secret: "three", scope: Self.scopes[1]) == 3)
    }

    @Test("refuses a wrong secret, and a key that nobody has", arguments: ["", "FIRS", "FIRSTL", "ZERO", "THIRD"])
    func keys(_ id: String) {
        #expect(throws: SignatureFault.mismatch) { try owner(secret: "two") }
        #expect(throws: SignatureFault.unknownKey) { try owner(id: "X" + id) }
        #expect(throws: SignatureFault.unknownKey) {
            try owner(id: id + "X", secret: String(repeating: "0", count: 40))
        }
    }

    @Test("accepts five minutes either way, and says both times beyond")
    func time() throws {
        #expect(try owner(signedAt: Self.now - 300) == 1)
        #expect(try owner(signedAt: Self.now + 300) == 1)
        #expect(throws: SignatureFault.expired(signedAtSecond: Self.now - 301, nowSecond: Self.now)) {
            try owner(signedAt: Self.now - 301)
        }
        #expect(throws: SignatureFault.notYetCurrent(signedAtSecond: Self.now + 301, nowSecond: Self.now)) {
            try owner(signedAt: Self.now + 301)
        }
    }

    @Test("keeps no more memory than 64 KiB from one request to the next")
    func memory() {
        var canonical = CanonicalRequest()
        let nothing: [UInt8] = []
        let value = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
        canonical.begin(method: nothing.span, path: nothing.span, query: nothing.span)
        canonical.field(Array("a".utf8).span, value.span)
        canonical.shrink()
        #expect(canonical.bytes.capacity == 0)
        canonical.begin(method: nothing.span, path: nothing.span, query: nothing.span)
        let small = canonical.bytes.capacity
        canonical.shrink()
        #expect(canonical.bytes.capacity == small)
    }

    @Test("refuses another Region, another service, another day")
    func scope() {
        for scope in [
            SigningScope(region: "us-east-2", service: "voiceid"), SigningScope(region: "us-east-1", service: "voice"),
        ] {
            #expect {
                try owner(scope: scope)
            } throws: { error in
                if case .foreignScope? = error as? SignatureFault { true } else { false }
            }
        }
        #expect {
            try owner(scopeDay: "20150829")
        } throws: { error in
            if case .foreignScope? = error as? SignatureFault { true } else { false }
        }
    }

    @Test(
        "finds the same fault in a field whether or not one like it was let in",
        arguments: [
            String(repeating: "a", count: 63) + " ", String(repeating: "a", count: 63) + "\t",
            String(repeating: "a", count: 32) + "," + String(repeating: "a", count: 31),
        ])
    func faultsOfTheKnown(_ signature: String) throws {
        var verifier = SignatureVerifier(Self.ring)
        #expect(try owner(using: &verifier) == 1)
        let field =
            "AWS4-HMAC-SHA256 Credential=FIRST/20150830/us-east-1/voiceid/aws4_request, SignedHeaders=host;x-amz-date, "
        let known = Array("\(field)Signature=\(String(repeating: "a", count: 64))".utf8)
        let claim = try verifier.claim(known.span)
        #expect(claim.key != nil)
        let bytes = Array("\(field)Signature=\(signature)".utf8)
        #expect {
            _ = try verifier.claim(bytes.span)
        } throws: { error in
            if case .malformed? = error as? SignatureFault { true } else { false }
        }
    }

    @Test("tells a signature of somebody known from a wrong one, from another day's and from another key's")
    func remembered() throws {
        var verifier = SignatureVerifier(Self.ring)
        for _ in 0..<3 {
            #expect(try owner(using: &verifier) == 1)
            #expect(throws: SignatureFault.mismatch) { try owner(secret: "two", using: &verifier) }
            #expect(try owner(id: "SECOND", secret: "two", using: &verifier) == 2)
            #expect(try owner(id: "FIRSTLY", secret: "three", using: &verifier) == 3)
            #expect(throws: SignatureFault.expired(signedAtSecond: Self.now, nowSecond: Self.now + 301)) {
                try owner(now: Self.now + 301, using: &verifier)
            }
            let tomorrow = Self.now + 86_400
            #expect {
                try owner(signedAt: tomorrow, now: tomorrow, scopeDay: "20150830", using: &verifier)
            } throws: { error in
                if case .foreignScope? = error as? SignatureFault { true } else { false }
            }
            #expect(try owner(signedAt: tomorrow, now: tomorrow, using: &verifier) == 1)
        }
    }

    @Test("goes on over midnight, forth and back")
    func midnight() throws {
        var verifier = SignatureVerifier(Self.ring)
        // 2015-08-31T00:00:00Z.
        let midnight: Int64 = 1_440_979_200
        for offset: Int64 in [-100, 100, -50, 50, -1, 0, 86_400, -1] {
            var signer = RequestSigner(scope: Self.scopes[0])
            let added = signer.sign(
                method: "POST", path: "/", query: "", fields: [("host", "h")], body: [],
                with: AWSCredentials(accessKeyID: "FIRST", secretAccessKey: "one"),
                at: WallInstant(seconds: midnight + offset))
            let date = Array(added[0].value.utf8)
            let bytes = Array(added[1].value.utf8)
            let claim = try verifier.claim(bytes.span)
            let moment = try verifier.check(
                claim, bytes.span, date: date.span, now: WallInstant(seconds: midnight + offset))
            let nothing: [UInt8] = []
            verifier.canonical.begin(method: Array("POST".utf8).span, path: Array("/".utf8).span, query: nothing.span)
            for (name, value) in [("host", "h"), ("x-amz-date", added[0].value)] {
                verifier.canonical.field(Array(name.utf8).span, Array(value.utf8).span)
            }
            verifier.canonical.end(signedNames: Array("host;x-amz-date".utf8).span, content: nothing.span)
            #expect(try verifier.verify(claim, bytes.span, date: date.span, at: moment) == 1)
        }
    }

    /// A client without a secret sends a time at the boundary of two days, written as a time of the day before.
    @Test(
        "derives a day's key from that day alone, whatever others send",
        arguments: ["20150830T235960Z", "20150831T000000Z"])
    func derivation(_ time: String) throws {
        var verifier = SignatureVerifier(Self.ring)
        // 2015-08-31T00:00:00Z, a day whose key has not been derived yet.
        let midnight: Int64 = 1_440_979_200
        let scope = "FIRST/\(time.prefix(8))/us-east-1/voiceid/aws4_request"
        let forged =
            "AWS4-HMAC-SHA256 Credential=\(scope), SignedHeaders=host, Signature=\(String(repeating: "0", count: 64))"
        let (bytes, date) = (Array(forged.utf8), Array(time.utf8))
        let claim = try verifier.claim(bytes.span)
        if let moment = try? verifier.check(claim, bytes.span, date: date.span, now: WallInstant(seconds: midnight)) {
            #expect(throws: SignatureFault.mismatch) {
                try verifier.verify(claim, bytes.span, date: date.span, at: moment)
            }
        }
        #expect(try owner(signedAt: midnight, now: midnight, using: &verifier) == 1)
    }

    @Test("Nothing that holds a secret shows it")
    func descriptions() {
        let key = KeyRing.Key(id: "FIRST", secret: "canary", owner: 1)
        let ring = KeyRing(keys: [key], scopes: Self.scopes)
        let credentials = AWSCredentials(accessKeyID: "A", secretAccessKey: "canary", sessionToken: "canary")
        var signer = RequestSigner(scope: Self.scopes[0])
        _ = signer.sign(
            method: "POST", path: "/", query: "", fields: [], body: [], with: credentials, at: WallInstant(seconds: 0))
        for value: Any in [key, ring, credentials, signer, [credentials], ["a": key]] {
            var dumped = ""
            dump(value, to: &dumped)
            #expect(!"\(value) \(String(reflecting: value)) \(dumped)".contains("canary"))
        }
    }
}

@Suite("Times in requests")
struct AWSTimeTests {
    @Test(
        "are read and written",
        arguments: [
            ("19700101T000000Z", 0), ("20150830T123600Z", 1_440_938_160), ("20000229T235959Z", 951_868_799),
            ("00000101T000000Z", -62_167_219_200), ("99991231T235959Z", 253_402_300_799), ("19691231T235959Z", -1),
        ])
    func basic(text: String, seconds: Int) {
        #expect(AWSTime.basic(text) == Int64(seconds))
        #expect(String(decoding: AWSTime.basic(Int64(seconds)), as: UTF8.self) == text)
    }

    @Test(
        "of another form are none",
        arguments: [
            "", "20150830T123600", "20150830 123600Z", "20151330T123600Z", "20150800T123600Z", "20150832T123600Z",
            "20150229T123600Z", "20150431T123600Z", "20150830T243600Z", "20150830T126000Z", "20150830T123661Z",
            "+0150830T123600Z", "2015083\u{663}T12360",
        ])
    func malformed(_ text: String) { #expect(AWSTime.basic(text) == nil) }

    @Test("A leap second is still of its day")
    func leapSecond() { #expect(AWSTime.basic("20161231T235960Z") == AWSTime.basic("20161231T235959Z")) }

    @Test("The extremes of integers do not trap")
    func extremes() {
        #expect(AWSTime.basic(.max) == Array("99991231T235959Z".utf8))
        #expect(AWSTime.basic(.min) == Array("00000101T000000Z".utf8))
    }
}
