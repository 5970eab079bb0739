import AWSProtocol
import Primitives
import Testing

@testable import Credentials

@Suite("Secrets")
struct DiscretionTests {
    @Test("are in no description and no reflection of what holds them")
    func descriptions() throws {
        let canary = "canary"
        let credentials = AWSCredentials(accessKeyID: "AKIA", secretAccessKey: canary, sessionToken: canary)
        var surroundings = try Machine().surroundings(["AWS_SECRET_ACCESS_KEY": canary])
        surroundings.homeDirectory = nil
        let service = TokenService(surroundings: surroundings, region: "eu-west-1")
        let profile = SharedFiles.Profile(name: "x", config: ["aws_secret_access_key": canary])
        let store = CredentialStore(StaticSource(credentials: credentials), clock: TestClock())
        _ = store.credentialsAfterFetch(now: WallInstant(seconds: 0))
        let values: [Any] = [
            credentials, surroundings, store, profile,
            try SharedFiles(surroundings), StaticSource(credentials: credentials),
            EnvironmentSource(surroundings: surroundings), ContainerSource(surroundings: surroundings),
            InstanceMetadataSource(surroundings: surroundings), service,
            ProcessSource(command: canary, surroundings: surroundings, whose: "the process"),
            AssumeRoleSource(
                role: Role(arn: "r"), source: StaticSource(credentials: credentials), service: service, whose: "x"),
            WebIdentitySource(role: Role(arn: "r"), tokenPath: "t", service: service),
            ProfileSource(surroundings: surroundings, region: "r"),
            DefaultChain(surroundings: surroundings, region: "r"),
            CredentialValues(accessKeyID: "AKIA", secretAccessKey: canary, sessionToken: canary),
            try CredentialDocument(Array("{\"SecretAccessKey\":\"canary\"}".utf8), "it"),
            CredentialAnswer.ready(credentials), CredentialRefresh.Action.use(credentials),
        ]
        for value in values {
            var text = "\(value) \(String(reflecting: value))"
            dump(value, to: &text)
            #expect(!text.contains(canary), "\(type(of: value))")
            #expect(!text.isEmpty)
        }
    }
}
