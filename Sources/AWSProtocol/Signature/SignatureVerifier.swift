/// Why a signature is not accepted.
public enum SignatureFault: Error, Sendable, Equatable {
    /// The `Authorization` field, or the date, is not of the form that AWS Signature Version 4 has. What is wrong, a sentence
    /// without its full stop; nothing of the value is repeated.
    case malformed(String)
    /// A field that must be signed is not.
    case unsigned(String)
    /// It was signed for another Region, service or day.
    case foreignScope(String)
    /// It was signed too long ago, or for a time to come; seconds since 1970.
    case expired(signedAt: Int64, now: Int64)
    case notYetCurrent(signedAt: Int64, now: Int64)
    /// Nobody has this key.
    case unknownKey
    case mismatch
}

/// Verifies the signatures of requests that come in.
///
/// Each event loop has its own: it keeps the memory that requests are made canonical in, and the signing keys of the day.
public struct SignatureVerifier {
    /// How far a request's time may be from ours, in seconds.
    public static let tolerance: Int64 = 300

    /// What an `Authorization` field says, before anybody has verified it.
    public struct Claim: Sendable {
        /// Places in the value of the field.
        public let header: SignatureHeader
        /// The places of the key and of the scope in the ring, if it has them.
        let key: Int?
        let scope: Int?
        /// Whether another with the same beginning was let in before.
        var isRemembered = false
    }

    /// What a request was signed for.
    public struct Moment: Sendable {
        /// Since 1970.
        let seconds: Int64
        let day: Int64
        /// The place of the scope in the ring.
        public let scope: Int
    }

    private let ring: KeyRing
    private var signingKeys = SigningKeyTable()
    private var claims = ClaimMemo()
    private var times = TimeMemo()
    /// What the caller writes the request into before it calls `verify`.
    public var canonical = CanonicalRequest()

    public init(_ ring: KeyRing) {
        self.ring = ring
    }

    /// Reads the value of an `Authorization` field.
    ///
    /// - Throws: `SignatureFault.malformed`.
    public func claim(_ authorization: Span<UInt8>) throws(SignatureFault) -> Claim {
        if let known = claims.claim(authorization) { return known }
        let header = try SignatureHeader(authorization, 0..<authorization.count)
        return Claim(
            header: header, key: ring.place(of: authorization.extracting(header.keyID)),
            scope: ring.scope(authorization.extracting(header.region.lowerBound..<header.service.upperBound)))
    }

    /// Checks time and scope of a signature: all that can be known before anything is hashed.
    ///
    /// - Parameters:
    ///   - authorization: what the claim was read from.
    ///   - date: the value of `X-Amz-Date`, or of `Date` in one of its two forms.
    ///   - now: seconds since 1970.
    public mutating func check(
        _ claim: Claim, _ authorization: Span<UInt8>, date: Span<UInt8>, now: Int64
    ) throws(SignatureFault) -> Moment {
        guard let signedAt = times.seconds(date) else {
            throw .malformed("X-Amz-Date, or Date, is no time such as 20150830T123600Z")
        }
        let (age, overflow) = now.subtractingReportingOverflow(signedAt)
        guard !overflow, age <= Self.tolerance else { throw .expired(signedAt: signedAt, now: now) }
        guard age >= -Self.tolerance else { throw .notYetCurrent(signedAt: signedAt, now: now) }
        guard Self.isDay(authorization.extracting(claim.header.day), of: signedAt, date) else {
            throw .foreignScope("the day in Credential is not the day of the request's date")
        }
        guard let scope = claim.scope else {
            throw .foreignScope("Credential should be scoped to a Region and service of this gateway")
        }
        return Moment(seconds: signedAt, day: signedAt / 86_400, scope: scope)
    }

    /// Whether the day of a scope is that of the request's date, which begins with it in the one form that SDKs send.
    private static func isDay(_ day: Span<UInt8>, of signedAt: Int64, _ date: Span<UInt8>) -> Bool {
        if date.count == 16 { return day.count == 8 && day.word(at: 0) == date.word(at: 0) }
        let text = AWSTime.basic(signedAt)
        return day.count == 8 && day.word(at: 0) == text.span.word(at: 0)
    }

    /// Compares a signature with the one of the request in `canonical`.
    ///
    /// An unknown key takes the same way as a known one, on a key that nobody has: how long it takes tells nothing.
    ///
    /// - Parameters:
    ///   - moment: what `check` returned.
    ///   - authorization: as it was given to `check`, and `date` too.
    /// - Returns: the number of the key's owner.
    public mutating func verify(
        _ claim: Claim, _ authorization: Span<UInt8>, date: Span<UInt8>, at moment: Moment
    ) throws(SignatureFault) -> Int {
        let place = place(
            of: SigningKeyTable.Name(key: claim.key ?? -1, scope: moment.scope, day: moment.day),
            authorization.extracting(claim.header.day))
        let signature =
            date.count == 16
            ? signingKeys.sign(canonical, time: date, at: place)
            : signingKeys.sign(canonical, time: AWSTime.basic(moment.seconds).span, at: place)
        let isRight = signature?.isEqual(to: authorization.extracting(claim.header.signature)) ?? false
        guard let key = claim.key else { throw .unknownKey }
        guard isRight else { throw .mismatch }
        claims.remember(claim, authorization)
        return ring.keys[key].owner
    }

    /// The place of a key of the day among `signingKeys`.
    ///
    /// - Parameter text: the day as it is signed.
    private mutating func place(of name: SigningKeyTable.Name, _ text: Span<UInt8>) -> Int {
        if let place = signingKeys.place(of: name) { return place }
        let secret = ring.keys.indices.contains(name.key) ? ring.keys[name.key].secret : Self.nobodysSecret
        return signingKeys.insert(
            SigningKey(secret: secret, day: text, scope: ring.scopes[name.scope]), for: name)
    }

    private static let nobodysSecret = String(repeating: "0", count: 40)
}
