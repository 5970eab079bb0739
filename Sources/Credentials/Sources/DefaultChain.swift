internal import AWSProtocol

/// The SDKs' default sources in botocore's order: the environment, the profile with its roles, web identity, keys and process,
/// the container's endpoint, the instance's metadata service. The first present source is used: if it fails, no other is tried.
///
/// Each fetch starts over, so that files may be replaced while the gateway runs.
struct DefaultChain: CredentialSource, Redacted {
    let environment: CredentialEnvironment
    let region: String

    func stamps() -> [FileStamp] { SharedFiles.paths(environment).map(FileStamp.init) }

    let name = "the default chain"

    func fetch() throws(CredentialFault) -> AWSCredentials { try found().credentials }

    func found() throws(CredentialFault) -> FoundCredentials {
        let sources: [any CredentialSource] = [
            EnvironmentSource(environment: environment), ProfileSource(environment: environment, region: region),
            ContainerSource(environment: environment), InstanceMetadataSource(environment: environment),
        ]
        var looked: [String] = []
        for source in sources {
            do throws(CredentialFault) {
                return try source.found()
            } catch {
                guard error.kind == .absent else { throw error }
                looked.append(error.message)
            }
        }
        throw .failed("no credentials were found: \(looked.joined(separator: "; "))")
    }
}
