internal import AWSProtocol

struct AssumeRoleSource: CredentialSource, Redacted {
    let role: Role
    let source: any CredentialSource
    let service: TokenService
    /// The subject of the message if the source has no credentials, such as `the profile "jobs"`.
    let whose: String

    let name = "a role"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        let credentials: AWSCredentials
        do throws(CredentialFault) {
            credentials = try source.fetch()
        } catch {
            // For a role the absence of its source is a failure.
            throw .failed("\(whose) has no credentials to take on its role with: \(error.message)")
        }
        return try service.assume(role, with: credentials)
    }
}

/// A role that is assumed with a token from a file, which another program refreshes.
struct WebIdentitySource: CredentialSource, Redacted {
    let role: Role
    let tokenPath: String
    let service: TokenService

    let name = "a web identity"

    func fetch() throws(CredentialFault) -> AWSCredentials {
        let file = "the web identity token file \(tokenPath.quoted)"
        let token = try SourceFile.token(tokenPath, file)
        // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
        guard (4...20_000).contains(token.utf8.count), token.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw .failed("\(file) holds no token")
        }
        return try service.assume(role, webIdentityToken: token)
    }
}
