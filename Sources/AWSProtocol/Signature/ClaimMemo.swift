internal import Primitives

/// A cache of parsed `Authorization` fields by their text before the signature: for the rest of the day a client's fields differ only
/// in their signatures. Only fields with a verified signature are stored.
///
/// Texts are compared in full; a hash of some bytes finds the place. The number of places is fixed, and a new entry replaces
/// the one in its place.
struct ClaimMemo {
    private final class Entry {
        /// The field's text before the signature.
        let text: [UInt8]
        let claim: SignatureVerifier.Claim

        init(text: [UInt8], claim: SignatureVerifier.Claim) {
            self.text = text
            self.claim = claim
        }
    }

    private static var places: Int { 256 }
    private static var signatureLength: Int { 64 }
    /// SDKs send 200 to 400 bytes; longer fields are not stored.
    private static var maxBytes: Int { 1024 }
    /// The index of the access key id in the fields of SDKs: after `AWS4-HMAC-SHA256 Credential=`.
    private static var keyID: Int { 28 }

    private var entries = [Entry?](repeating: nil, count: places)

    /// The claim of a field whose text before the signature is stored; `nil` if it is not.
    func claim(_ authorization: Span<UInt8>) -> SignatureVerifier.Claim? {
        guard let place = Self.place(authorization), let entry = entries[place],
            authorization.count == entry.text.count + Self.signatureLength, authorization.holds(entry.text, at: 0),
            Self.isOneWord(authorization, from: entry.text.count)
        else { return nil }
        return entry.claim
    }

    /// Returns true if the 64 bytes of the signature have no comma or blank, so that the parser would find the same signature: the
    /// fault of a field must not depend on earlier fields. May be false for some other bytes.
    ///
    /// - Parameter start: the index of the signature, which has 64 bytes.
    private static func isOneWord(_ authorization: Span<UInt8>, from start: Int) -> Bool {
        var ends: UInt64 = 0
        for place in stride(from: start, to: start + signatureLength, by: 8) {
            // The high bit of each byte up to the comma is set; these include blanks, and no digits.
            let word = authorization.word(at: place)
            ends |= (word &- 0x2d2d_2d2d_2d2d_2d2d) & ~word
        }
        return ends & 0x8080_8080_8080_8080 == 0
    }

    /// Stores the claim of a field whose signature was verified. Unverified ones could displace the entries of others.
    mutating func remember(_ claim: SignatureVerifier.Claim, _ authorization: Span<UInt8>) {
        // Only fields that end with the signature, as SDKs send them: the rest is one text.
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

/// A cache of the last parsed `X-Amz-Date`, which all requests of a second share.
struct TimeMemo {
    private var low: UInt64 = 0
    private var high: UInt64 = 0
    private var seconds: Int64?

    /// The date in seconds since 1970; `nil` if it is malformed.
    mutating func seconds(_ date: Span<UInt8>) -> Int64? {
        guard date.count == 16 else { return HTTPDate.seconds(date) }
        if date.word(at: 0) == low, date.word(at: 8) == high, let seconds { return seconds }
        guard let seconds = AWSTime.basic(date) else { return nil }
        (low, high, self.seconds) = (date.word(at: 0), date.word(at: 8), seconds)
        return seconds
    }
}
