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
