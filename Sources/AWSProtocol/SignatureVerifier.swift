/// Verifies the signatures of requests that come in.
///
/// Each event loop has its own: it keeps the memory that requests are made canonical in, and the signing keys of the day.
public struct SignatureVerifier {
    /// How far a request's time may be from ours, in seconds.
    public static let tolerance: Int64 = 300

    /// Derived keys of one access key and scope: those of two days, because around midnight both are in use.
    private struct Derived {
        var day: UInt64
        var key: SigningKey
        var other: (day: UInt64, key: SigningKey)?
    }

    private let ring: KeyRing
    /// By the key's place and the scope's. At most one for each, so that nothing from outside makes it grow.
    private var derived: [Int: Derived] = [:]
    private var text: [UInt8] = []
    private var signature: [UInt8] = []
    /// What the caller writes the request into before it calls `verify`.
    public var canonical = CanonicalRequest()

    public init(_ ring: KeyRing) { self.ring = ring }

    /// Checks time and scope of a signature: all that can be known before anything is hashed.
    ///
    /// - Parameters:
    ///   - date: the value of `X-Amz-Date`, or of `Date` in one of its two forms.
    ///   - now: seconds since 1970.
    /// - Returns: the place of the scope in the ring's list.
    public func check(
        _ header: SignatureHeader, date: Range<Int>, _ bytes: Span<UInt8>, now: Int64
    ) throws(SignatureFault) -> Int {
        guard let signedAt = AWSTime.basic(bytes, date) ?? AWSTime.http(bytes, date) else {
            throw .malformed("X-Amz-Date, or Date, is no time such as 20150830T123600Z")
        }
        let (age, overflow) = now.subtractingReportingOverflow(signedAt)
        guard !overflow, age <= Self.tolerance else { throw .expired(signedAt: signedAt, now: now) }
        guard age >= -Self.tolerance else { throw .notYetCurrent(signedAt: signedAt, now: now) }
        let time = AWSTime.basic(signedAt)
        for (index, place) in zip(time.indices, header.day) where time[index] != bytes[place] {
            throw .foreignScope("the day in Credential is not the day of the request's date")
        }
        guard let scope = ring.scope(region: bytes.extracting(header.region), service: bytes.extracting(header.service))
        else {
            throw .foreignScope("Credential should be scoped to a Region and service of this gateway")
        }
        return scope
    }

    /// Compares a signature with the one of the request in `canonical`.
    ///
    /// An unknown key takes the same way as a known one, on a key that nobody has: how long it takes tells nothing.
    ///
    /// - Parameters:
    ///   - scope: what `check` returned.
    ///   - date: as it was given to `check`.
    /// - Returns: the number of the key's owner.
    public mutating func verify(
        _ header: SignatureHeader, scope: Int, date: Range<Int>, _ bytes: Span<UInt8>
    ) throws(SignatureFault) -> Int {
        let place = ring.place(of: bytes.extracting(header.keyID))
        let day = bytes.extracting(header.day)
        if date.count == 16 {
            StringToSign.write(canonical, time: bytes.extracting(date), scope: ring.scopes[scope], into: &text)
        } else {
            let time = AWSTime.basic(AWSTime.http(bytes, date) ?? 0)
            StringToSign.write(canonical, time: time.span, scope: ring.scopes[scope], into: &text)
        }
        let key = key(place, scope: scope, day: day)
        signature.removeAll(keepingCapacity: true)
        let text = text
        key.appendSignature(of: text.span, to: &signature)
        // Every digit is looked at, whatever the first of them say.
        var difference: UInt8 = 0
        for (index, place) in zip(signature.indices, header.signature) { difference |= signature[index] ^ bytes[place] }
        guard let place else { throw .unknownKey }
        guard difference == 0 else { throw .mismatch }
        return ring.keys[place].owner
    }

    /// - Parameter place: nothing for the key that nobody has.
    private mutating func key(_ place: Int?, scope: Int, day: Span<UInt8>) -> SigningKey {
        // Eight bytes are a number.
        var number: UInt64 = 0
        for index in day.indices { number = number << 8 | UInt64(day[index]) }
        let slot = ((place ?? -1) + 1) * ring.scopes.count + scope
        if let known = derived[slot] {
            if known.day == number { return known.key }
            if let other = known.other, other.day == number { return other.key }
        }
        let secret = place.map { ring.keys[$0].secret } ?? Self.nobodysSecret
        let key = SigningKey(secret: secret, day: day, scope: ring.scopes[scope])
        derived[slot] = Derived(day: number, key: key, other: derived[slot].map { ($0.day, $0.key) })
        return key
    }

    private static let nobodysSecret = String(repeating: "0", count: 40)
}
