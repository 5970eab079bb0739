/// Verifies the signatures of requests that come in.
///
/// Each event loop has its own: it keeps the memory that requests are made canonical in, and the signing keys of the day.
public struct SignatureVerifier {
    /// How far a request's time may be from ours, in seconds.
    public static let tolerance: Int64 = 300

    /// The signing key of one access key, scope and day.
    private final class Derived {
        /// Since 1970.
        let day: Int64
        let key: SigningKey

        init(day: Int64, key: SigningKey) {
            self.day = day
            self.key = key
        }
    }

    private let ring: KeyRing
    /// By the key's place and the scope's, and then by odd and even days: around midnight two are in use. There is a place
    /// for each from the start, so that nothing from outside makes it grow.
    private var derived: [Derived?]
    private var text: [UInt8] = []
    private var signature: [UInt8] = []
    /// What the caller writes the request into before it calls `verify`.
    public var canonical = CanonicalRequest()

    public init(_ ring: KeyRing) {
        self.ring = ring
        // One more key, the one that nobody has.
        derived = [Derived?](repeating: nil, count: 2 * (ring.keys.count + 1) * ring.scopes.count)
    }

    /// Checks time and scope of a signature: all that can be known before anything is hashed.
    ///
    /// - Parameters:
    ///   - date: the value of `X-Amz-Date`, or of `Date` in one of its two forms.
    ///   - now: seconds since 1970.
    /// - Returns: the place of the scope in the ring's list, and the day since 1970.
    public func check(
        _ header: SignatureHeader, date: Range<Int>, _ bytes: Span<UInt8>, now: Int64
    ) throws(SignatureFault) -> (scope: Int, day: Int64) {
        guard let signedAt = AWSTime.basic(bytes, date) ?? AWSTime.http(bytes, date) else {
            throw .malformed("X-Amz-Date, or Date, is no time such as 20150830T123600Z")
        }
        let (age, overflow) = now.subtractingReportingOverflow(signedAt)
        guard !overflow, age <= Self.tolerance else { throw .expired(signedAt: signedAt, now: now) }
        guard age >= -Self.tolerance else { throw .notYetCurrent(signedAt: signedAt, now: now) }
        guard isOfDay(signedAt, header, date, bytes) else {
            throw .foreignScope("the day in Credential is not the day of the request's date")
        }
        guard let scope = ring.scope(bytes.extracting(header.region.lowerBound..<header.service.upperBound)) else {
            throw .foreignScope("Credential should be scoped to a Region and service of this gateway")
        }
        return (scope, signedAt / 86_400)
    }

    /// Whether the day of a scope is that of the request's date, which begins with it in the one form that SDKs send.
    private func isOfDay(
        _ signedAt: Int64, _ header: SignatureHeader, _ date: Range<Int>, _ bytes: Span<UInt8>
    ) -> Bool {
        if date.count == 16 {
            for offset in 0..<8 where bytes[date.lowerBound + offset] != bytes[header.day.lowerBound + offset] {
                return false
            }
            return true
        }
        return AWSTime.basic(signedAt).starts(with: header.day.map { bytes[$0] })
    }

    /// Compares a signature with the one of the request in `canonical`.
    ///
    /// An unknown key takes the same way as a known one, on a key that nobody has: how long it takes tells nothing.
    ///
    /// - Parameters:
    ///   - scope: what `check` returned, and `day` too.
    ///   - date: as it was given to `check`.
    /// - Returns: the number of the key's owner.
    public mutating func verify(
        _ header: SignatureHeader, scope: Int, day: Int64, date: Range<Int>, _ bytes: Span<UInt8>
    ) throws(SignatureFault) -> Int {
        let place = ring.place(of: bytes.extracting(header.keyID))
        if date.count == 16 {
            ring.stringsToSign[scope].write(canonical, time: bytes.extracting(date), into: &text)
        } else {
            let time = AWSTime.basic(AWSTime.http(bytes, date) ?? 0)
            ring.stringsToSign[scope].write(canonical, time: time.span, into: &text)
        }
        let key = key(place, scope: scope, day: day, text: bytes.extracting(header.day))
        signature.removeAll(keepingCapacity: true)
        let text = text
        key.appendSignature(of: text.span, to: &signature)
        let isRight = Self.areEqual(signature.span, bytes.extracting(header.signature))
        guard let place else { throw .unknownKey }
        guard isRight else { throw .mismatch }
        return ring.keys[place].owner
    }

    /// - Parameter place: nothing for the key that nobody has.
    private mutating func key(_ place: Int?, scope: Int, day: Int64, text: Span<UInt8>) -> SigningKey {
        let slot = 2 * (((place ?? -1) + 1) * ring.scopes.count + scope) + Int(day & 1)
        if let known = derived[slot], known.day == day { return known.key }
        let secret = place.map { ring.keys[$0].secret } ?? Self.nobodysSecret
        let key = SigningKey(secret: secret, day: text, scope: ring.scopes[scope])
        derived[slot] = Derived(day: day, key: key)
        return key
    }

    /// Whether two signatures are the same. Every digit is looked at, whatever the first of them say.
    private static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == 64, right.count == 64 else { return false }
        var difference: UInt64 = 0
        // Unsafe only in that any eight bytes must make a valid integer, which they do.
        for word in 0..<8 {
            difference |=
                unsafe left.bytes.unsafeLoadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
                ^ right.bytes.unsafeLoadUnaligned(fromByteOffset: 8 * word, as: UInt64.self)
        }
        return difference == 0
    }

    private static let nobodysSecret = String(repeating: "0", count: 40)
}
