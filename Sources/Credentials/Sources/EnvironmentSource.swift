internal import AWSProtocol

/// Credentials in environment variables.
///
/// https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
struct EnvironmentSource: CredentialSource, Discreet {
    let surroundings: Surroundings

    func fetch() throws(CredentialFault) -> AWSCredentials {
        guard let accessKeyID = surroundings["AWS_ACCESS_KEY_ID"] else { throw .absent("AWS_ACCESS_KEY_ID is not set") }
        let values = CredentialValues(
            accessKeyID: accessKeyID, secretAccessKey: surroundings["AWS_SECRET_ACCESS_KEY"],
            sessionToken: surroundings["AWS_SESSION_TOKEN"], expiration: surroundings["AWS_CREDENTIAL_EXPIRATION"])
        return try values.checked(
            "the environment",
            .init(
                accessKeyID: "AWS_ACCESS_KEY_ID", secretAccessKey: "AWS_SECRET_ACCESS_KEY",
                sessionToken: "AWS_SESSION_TOKEN", expiration: "AWS_CREDENTIAL_EXPIRATION"))
    }
}
