/// The source of the credentials that requests are signed with.
///
/// It is asked for each attempt, on the thread that sends it, and must not block.
public protocol CredentialSupply: Sendable {
    /// What may be signed with now.
    ///
    /// - Parameter now: nanoseconds since 1970-01-01T00:00:00Z.
    func credentials(now: Int64) -> CredentialAnswer

    /// Has credentials fetched anew that a service did not accept, because they are over or it does not know them. It must not
    /// block either.
    ///
    /// - Parameters:
    ///   - refused: what the service did not accept.
    ///   - now: nanoseconds since 1970-01-01T00:00:00Z.
    /// - Returns: true if others are there, or are being fetched and pending until then. The default implementation fetches nothing.
    func renew(_ refused: AWSCredentials, now: Int64) -> Bool
}

extension CredentialSupply {
    public func renew(_ refused: AWSCredentials, now: Int64) -> Bool { false }
}

/// What a supply of credentials has to give.
public enum CredentialAnswer: Sendable {
    case ready(AWSCredentials)
    /// They are being fetched; when that has ended, one way or the other, it is announced.
    case pending
    /// There are none, for this reason: a sentence for an operator, without secrets.
    case unavailable(String)
}

/// Credentials that were given and do not change.
public struct FixedCredentials: CredentialSupply {
    private let credentials: AWSCredentials

    public init(_ credentials: AWSCredentials) { self.credentials = credentials }

    public func credentials(now: Int64) -> CredentialAnswer { .ready(credentials) }
}
