public import AWSProtocol
internal import OriginClient

/// A trial of credentials: they are fetched as a `CredentialStore` fetches them, and whose they are is asked of AWS.
///
/// All of it blocks, for some seconds at most at each service that it asks.
public struct CredentialTrial: Sendable, Redacted {
    private let chain: DefaultChain
    private let service: TokenService

    /// The longest time for one answer, in nanoseconds. A check must end while its user looks at it.
    private static let patience: Int64 = 5_000_000_000

    /// - Parameter region: the Region whose token service is asked, such as `us-east-1`.
    public init(region: String, environment: CredentialEnvironment) {
        var environment = environment
        environment.patience.tokenService = Self.patience
        environment.patience.process = Self.patience
        chain = DefaultChain(environment: environment, region: region)
        service = TokenService(environment: environment, region: region)
    }

    /// The result of a fetch. A failure is a sentence for an operator, without secrets.
    public enum Fetched: Sendable, Redacted {
        case found(AWSCredentials, source: String)
        case failed(String)
    }

    /// Fetches credentials from where the AWS SDKs look.
    public func fetch() -> Fetched {
        do throws(CredentialFault) {
            let found = try chain.found()
            return .found(found.credentials, source: found.source)
        } catch {
            return .failed(error.message)
        }
    }

    /// True if the environment names the token service to ask (`AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL`).
    public var hasConfiguredTokenService: Bool { service.hasConfiguredEndpoint }

    /// Whose credentials are.
    public enum Identity: Sendable {
        /// The ARN of the user, or of the role and its session.
        case known(String)
        /// AWS does not accept them: services refuse them too. The code of its error.
        case refused(String)
        /// It cannot be said, for a reason without secrets; services may accept them.
        case unknown(String)
    }

    /// Asks whose credentials are. Every identity is permitted to ask this, unless a policy denies it.
    ///
    /// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    public func identity(of credentials: AWSCredentials) -> Identity {
        do throws(CredentialFault) {
            let (service, reply, elements) = try service.exchange(
                [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")], signedWith: credentials)
            if reply.status == 200 {
                let arn = elements["GetCallerIdentityResponse/GetCallerIdentityResult/Arn"]
                return arn.map { .known($0.shown) } ?? .unknown("the answer of \(service.name) names nobody")
            }
            let code = elements["ErrorResponse/Error/Code"]?.errorCode
            if let code, Self.refusals.contains(code) { return .refused(code) }
            return .unknown("\(service.name) answers with status \(reply.status)\(code.map { " (\($0))" } ?? "")")
        } catch {
            return .unknown(error.message)
        }
    }

    /// The codes that mean the credentials themselves, and not what they may do.
    private static let refusals = ErrorCode.identity.subtracting(ErrorCode.accessDenial).subtracting(["OptInRequired"])
}
