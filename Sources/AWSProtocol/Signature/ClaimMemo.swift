/// Remembers the `Authorization` fields of those who were let in, up to their signatures: a client's next one differs in
/// nothing else for the rest of the day.
///
/// They are compared in full, byte by byte; a few of them only find the place. There is a fixed number of places, and a newcomer
/// takes the place of whatever was there.
struct ClaimMemo {
    private final class Entry {
        /// What stands before the signature.
        let text: [UInt8]
        let claim: SignatureVerifier.Claim

        init(text: [UInt8], claim: SignatureVerifier.Claim) {
            self.text = text
            self.claim = claim
        }
    }

    private static var places: Int { 256 }
    private static var signatureLength: Int { 64 }
    /// SDKs send 200 to 400 bytes; longer fields are read anew each time.
    private static var maxBytes: Int { 1024 }
    /// Where an access key id begins in what SDKs send: after `AWS4-HMAC-SHA256 Credential=`.
    private static var keyID: Int { 28 }

    private var entries = [Entry?](repeating: nil, count: places)

    /// What a field says of which all but the signature is known; nothing for others.
    func claim(_ authorization: Span<UInt8>) -> SignatureVerifier.Claim? {
        guard let place = Self.place(authorization), let entry = entries[place],
            authorization.count == entry.text.count + Self.signatureLength, authorization.holds(entry.text, at: 0),
            Self.isOneWord(authorization, from: entry.text.count)
        else { return nil }
        return entry.claim
    }

    /// Whether nothing in the signature's place would be read as something else, a comma or a blank: what is wrong with a field must
    /// not depend on those before it. May deny it for nothing.
    ///
    /// - Parameter start: the place of the signature's 64 bytes, which are there.
    private static func isOneWord(_ authorization: Span<UInt8>, from start: Int) -> Bool {
        var ends: UInt64 = 0
        for place in stride(from: start, to: start + signatureLength, by: 8) {
            // The high bit is set at bytes up to the comma, of which blanks are some and digits none.
            let word = authorization.word(at: place)
            ends |= (word &- 0x2d2d_2d2d_2d2d_2d2d) & ~word
        }
        return ends & 0x8080_8080_8080_8080 == 0
    }

    /// Remembers what a field says. It must be verified: nobody else is to take anybody's place.
    mutating func remember(_ claim: SignatureVerifier.Claim, _ authorization: Span<UInt8>) {
        // With the signature in another place than the last, where it is in what SDKs send, the rest is not one text.
        guard !claim.isRemembered, authorization.count <= Self.maxBytes,
            claim.header.signature.upperBound == authorization.count,
            claim.header.signature.count == Self.signatureLength, let place = Self.place(authorization)
        else { return }
        let text = Array(copying: authorization.extracting(0..<claim.header.signature.lowerBound))
        var claim = claim
        claim.isRemembered = true
        entries[place] = Entry(text: text, claim: claim)
    }

    private static func place(_ authorization: Span<UInt8>) -> Int? {
        guard authorization.count >= keyID + 20 else { return nil }
        let word = (authorization.word(at: keyID) &* 31) ^ authorization.word(at: keyID + 12)
        return Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 56)
    }
}

/// Remembers the last `X-Amz-Date`: those of a second are the same.
struct TimeMemo {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var seconds: Int64?

    /// The instant that a date means, in seconds since 1970; nothing if it is none.
    mutating func seconds(_ date: Span<UInt8>) -> Int64? {
        guard date.count == 16 else { return AWSTime.http(date, 0..<date.count) }
        if date.word(at: 0) == low, date.word(at: 8) == high, let seconds { return seconds }
        guard let seconds = AWSTime.basic(date, 0..<16) else { return nil }
        (low, high, self.seconds) = (date.word(at: 0), date.word(at: 8), seconds)
        return seconds
    }
}
