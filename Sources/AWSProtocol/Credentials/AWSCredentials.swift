/// What requests are signed with.
///
/// Nothing that describes or reflects it shows more than the access key id, which is no secret.
public struct AWSCredentials: Sendable, Equatable {
    public let accessKeyID: String
    public let secretAccessKey: String
    /// Comes with temporary credentials, and is sent with every request that they sign.
    public let sessionToken: String?
    /// When they cease to be valid, in nanoseconds since 1970-01-01T00:00:00Z; nothing if they never do.
    public let expiration: Int64?

    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Int64? = nil) {
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
