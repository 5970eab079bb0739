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
        var environment = try Machine().environment(["AWS_SECRET_ACCESS_KEY": canary])
        environment.homeDirectory = nil
        let service = TokenService(environment: environment, region: "eu-west-1")
        let profile = SharedFiles.Profile(name: "x", config: ["aws_secret_access_key": canary])
        let store = CredentialStore(StaticSource(credentials: credentials), clock: TestClock())
        _ = store.credentialsAfterFetch(now: WallInstant(seconds: 0))
        let values: [Any] = [
            credentials, environment, store, profile,
            try SharedFiles(environment), StaticSource(credentials: credentials),
            EnvironmentSource(environment: environment), ContainerSource(environment: environment),
            InstanceMetadataSource(environment: environment), service,
            ProcessSource(command: canary, environment: environment, whose: "the process"),
            AssumeRoleSource(
                role: Role(arn: "r"), source: StaticSource(credentials: credentials), service: service, whose: "x"),
            WebIdentitySource(role: Role(arn: "r"), tokenPath: "t", service: service),
            ProfileSource(environment: environment, region: "r"),
            DefaultChain(environment: environment, region: "r"),
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
