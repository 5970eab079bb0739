public import AWSProtocol

/// Where the upstream gets what it signs requests with.
///
/// It is asked for each attempt, on the upstream's thread, and must not block.
public protocol CredentialSupply: Sendable {
    /// What may be signed with now.
    ///
    /// - Parameter now: nanoseconds since 1970-01-01T00:00:00Z.
    func credentials(now: Int64) -> CredentialAnswer
}

/// What a supply of credentials has to give.
public enum CredentialAnswer: Sendable {
    case ready(AWSCredentials)
    /// They are being fetched; when that has ended, one way or the other, it is announced.
    case pending
    /// There are none, for this reason: a sentence for an operator, without secrets.
    case unavailable(String)
}
