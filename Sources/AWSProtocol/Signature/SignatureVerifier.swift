public import Primitives

/// The reason why a signature is refused.
public enum SignatureFault: Error, Sendable, Equatable {
    /// The `Authorization` field or the date does not have the format of AWS Signature Version 4. The text is a sentence without
    /// its full stop, and repeats no part of the value.
    case malformed(String)
    /// A field that must be signed is not.
    case unsigned(String)
    /// The request was signed for another Region, service or day.
    case foreignScope(String)
    /// The request was signed too long ago. Seconds since 1970, because a client may write any year.
    case expired(signedAtSecond: Int64, nowSecond: Int64)
    /// The request was signed for a later time. Seconds since 1970.
    case notYetCurrent(signedAtSecond: Int64, nowSecond: Int64)
    /// No caller has this key.
    case unknownKey
    /// The signature is not that of the request.
    case mismatch
}

/// Verifies the signatures of incoming requests.
///
/// Each event loop has its own, because it keeps the memory of the canonical request and the signing keys of the day.
public struct SignatureVerifier {
    /// The maximum difference between a request's time and ours, in seconds.
    public static let tolerance: Int64 = 300

    /// The content of an `Authorization` field, not yet verified.
    public struct Claim: Sendable {
        /// Ranges of the field's value.
        public let header: SignatureHeader
        /// The indices of the key and of the scope in the ring; `nil` if it does not have them.
        let key: Int?
        let scope: Int?
        /// True if a field with the same text before the signature was verified before.
        var isRemembered = false
    }

    /// The time and the scope of a request's signature.
    public struct Moment: Sendable {
        /// Since 1970.
        let seconds: Int64
        let day: Int64
        /// The index of the scope in the ring.
        public let scope: Int
    }

    private let ring: KeyRing
    private var signingKeys = SigningKeyTable()
    private var claims = ClaimMemo()
    private var times = TimeMemo()
    /// The canonical request, which must be written before `verify` is called.
    public var canonical = CanonicalRequest()

    /// A verifier for the keys and the scopes of a ring.
    public init(_ ring: KeyRing) {
        self.ring = ring
    }

    /// Reads the value of an `Authorization` field.
    ///
    /// - Throws: `SignatureFault.malformed` if it does not have the format of AWS Signature Version 4.
    public func claim(_ authorization: Span<UInt8>) throws(SignatureFault) -> Claim {
        if let known = claims.claim(authorization) { return known }
        let header = try SignatureHeader(authorization, 0..<authorization.count)
        return Claim(
            header: header, key: ring.place(of: authorization.extracting(header.keyID)),
            scope: ring.scope(authorization.extracting(header.region.lowerBound..<header.service.upperBound)))
    }

    /// Checks the time and the scope of a signature, which need no hashing.
    ///
    /// - Parameters:
    ///   - authorization: the value that the claim was read from.
    ///   - date: the value of `X-Amz-Date`, or of `Date`, as ISO 8601's basic format or an HTTP date.
    /// - Throws: `SignatureFault.malformed` for another date, `.expired` or `.notYetCurrent` for a time beyond `tolerance`,
    ///   `.foreignScope` for a scope that is not in the ring or a day that is not the date's.
    public mutating func check(
        _ claim: Claim, _ authorization: Span<UInt8>, date: Span<UInt8>, now: WallInstant
    ) throws(SignatureFault) -> Moment {
        guard let signedAt = times.seconds(date) else {
            throw .malformed("X-Amz-Date, or Date, is no time such as 20150830T123600Z")
        }
        let now = now.seconds
        let age = now - signedAt
        guard age <= Self.tolerance else { throw .expired(signedAtSecond: signedAt, nowSecond: now) }
        guard age >= -Self.tolerance else { throw .notYetCurrent(signedAtSecond: signedAt, nowSecond: now) }
        guard Self.isDay(authorization.extracting(claim.header.day), of: signedAt, date) else {
            throw .foreignScope("the day in Credential is not the day of the request's date")
        }
        guard let scope = claim.scope else {
            throw .foreignScope("Credential should be scoped to a Region and service of this gateway")
        }
        return Moment(seconds: signedAt, day: signedAt / 86_400, scope: scope)
    }

    /// Returns true if the day of a scope is that of the request's date. A date in the basic format begins with its day.
    private static func isDay(_ day: Span<UInt8>, of signedAt: Int64, _ date: Span<UInt8>) -> Bool {
        if date.count == 16 { return day.count == 8 && day.word(at: 0) == date.word(at: 0) }
        let text = AWSTime.basic(signedAt)
        return day.count == 8 && day.word(at: 0) == text.span.word(at: 0)
    }

    /// Compares a signature with that of the request in `canonical`.
    ///
    /// An unknown key is verified with a dummy secret, so that it takes the same time as a known one.
    ///
    /// - Parameters:
    ///   - moment: the result of `check`, to which the same `authorization` and `date` were passed.
    /// - Returns: the number of the caller that has the key.
    /// - Throws: `SignatureFault.unknownKey` if the ring does not have the key, `.mismatch` if the signature is wrong.
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

    /// The place of a signing key in `signingKeys`. It is derived if it is not there.
    ///
    /// - Parameter text: the day as the claim writes it, eight digits.
    private mutating func place(of name: SigningKeyTable.Name, _ text: Span<UInt8>) -> Int {
        if let place = signingKeys.place(of: name) { return place }
        let secret = ring.keys.indices.contains(name.key) ? ring.keys[name.key].secret : Self.dummySecret
        return signingKeys.insert(
            SigningKey(secret: secret, day: text, scope: ring.scopes[name.scope]), for: name)
    }

    private static let dummySecret = String(repeating: "0", count: 40)
}
