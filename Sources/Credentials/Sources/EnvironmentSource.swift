internal import AWSProtocol

/// Credentials in environment variables.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
struct EnvironmentSource: CredentialSource, Redacted {
    let environment: CredentialEnvironment

    let name = "the environment"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        guard let accessKeyID = environment["AWS_ACCESS_KEY_ID"] else { throw .absent("AWS_ACCESS_KEY_ID is not set") }
        let values = CredentialValues(
            accessKeyID: accessKeyID, secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"],
            sessionToken: environment["AWS_SESSION_TOKEN"], expiration: environment["AWS_CREDENTIAL_EXPIRATION"])
        return try values.checked(
            "the environment",
            .init(
                accessKeyID: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY",
                sessionToken: "AWS_SESSION_TOKEN", expiration: "AWS_CREDENTIAL_EXPIRATION"))
    }
}
