/// A change at the services that is worth a log line. Its message is static text; what varies is metadata.
public enum UpstreamEvent: Sendable, Equatable {
    /// Nothing is sent to a service for so many nanoseconds.
    case breakerOpened(service: String, cause: String, span: Int64)
    /// One attempt goes out to find out whether a service answers again.
    case breakerHalfOpen(service: String)
    case breakerClosed(service: String)
    /// The cause is a sentence without secrets.
    case credentialsMissing(service: String, cause: String)
    case credentialsBack(service: String)
    case credentialsRefused(service: String)
    /// A service throttles though the quota was kept: others use it too.
    case quotaCut(service: String, group: String)
    case quotaRestored(service: String, group: String)
    /// This machine or process lacks what a connection takes.
    case localFault(cause: String)

    public var message: String {
        switch self {
        case .breakerOpened: "breaker open: the service is given a rest"
        case .breakerHalfOpen: "breaker half-open: one attempt is sent as a probe"
        case .breakerClosed: "breaker closed: the service answers again"
        case .credentialsMissing: "the service's requests cannot be signed: no credentials"
        case .credentialsBack: "the service's requests can be signed again"
        case .credentialsRefused: "the service does not accept the gateway's credentials"
        case .quotaCut: "the service throttles a quota group below its quota: slowing down"
        case .quotaRestored: "a quota group is back at its full rate"
        case .localFault: "services are not reached"
        }
    }

    /// Names and values, in their order.
    public var metadata: [(name: String, value: String)] {
        switch self {
        case .breakerOpened(let service, let cause, let span):
            [("service", service), ("cause", cause), ("milliseconds", "\(span / 1_000_000)")]
        case .breakerHalfOpen(let service), .breakerClosed(let service), .credentialsBack(let service),
            .credentialsRefused(let service):
            [("service", service)]
        case .credentialsMissing(let service, let cause): [("service", service), ("cause", cause)]
        case .quotaCut(let service, let group), .quotaRestored(let service, let group):
            [("service", service), ("group", group)]
        case .localFault(let cause): [("cause", cause)]
        }
    }
}
