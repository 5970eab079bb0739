internal import AWSProtocol
public import Upstream

/// Credentials from the process's environment variables.
public final class CredentialStore: CredentialSupply {
    private let answer: CredentialAnswer

    public init(region: String, environment: [String: String]) {
        if let id = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] {
            answer = .ready(
                AWSCredentials(
                    accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"]))
        } else {
            answer = .unavailable("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
        }
    }

    public func credentials(now: Int64) -> CredentialAnswer { answer }
}
