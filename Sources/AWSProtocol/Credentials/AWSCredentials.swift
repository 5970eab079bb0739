public import Primitives

/// The credentials that requests are signed with.
///
/// Their description and their mirror show only the access key id, which is no secret.
public struct AWSCredentials: Sendable, Equatable {
    public let accessKeyID: String
    public let secretAccessKey: String
    /// The token of temporary credentials, which is sent with every request; `nil` for permanent ones.
    public let sessionToken: String?
    /// The end of their validity; `nil` for permanent ones.
    public let expiration: WallInstant?

    public init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: WallInstant? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "credentials \(accessKeyID)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
