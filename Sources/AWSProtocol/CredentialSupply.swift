public import Primitives

/// The source of the credentials that requests are signed with.
///
/// It is asked for each attempt, on the thread that sends it, and must not block.
public protocol CredentialSupply: Sendable {
    /// What may be signed with now.
    func credentials(now: WallInstant) -> CredentialAnswer

    /// Has credentials fetched anew that a service did not accept, because they are over or it does not know them. It must not
    /// block either.
    ///
    /// - Parameter refused: what the service did not accept.
    /// - Returns: true if others are there, or are being fetched and pending until then. The default implementation fetches nothing.
    func renew(_ refused: AWSCredentials, now: WallInstant) -> Bool
}

extension CredentialSupply {
    public func renew(_ refused: AWSCredentials, now: WallInstant) -> Bool { false }
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

    public func credentials(now: WallInstant) -> CredentialAnswer { .ready(credentials) }
}
