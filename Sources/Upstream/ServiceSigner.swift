public import AWSProtocol
internal import Gateway

/// How requests to a service are signed.
public struct SigningSettings: Sendable {
    /// What the signatures are good for.
    public var scope: SigningScope
    public var supply: any CredentialSupply
    /// `host[:port]` as the service knows itself: it is signed, and sent as `Host`.
    public var authority: String
    /// Whether requests go out unsigned where there are no credentials: a stand-in on this machine may not want any.
    public var mayGoUnsigned: Bool

    public init(scope: SigningScope, supply: any CredentialSupply, authority: String, mayGoUnsigned: Bool = false) {
        self.scope = scope
        self.supply = supply
        self.authority = authority
        self.mayGoUnsigned = mayGoUnsigned
    }
}

/// Writes and signs the fields of requests to one service. Used on the upstream's thread only.
struct ServiceSigner {
    /// What came of it.
    enum Outcome {
        case fields([(name: String, value: String)])
        /// The credentials are being fetched.
        case pending
        /// There are none, and why: for the operator, not for clients.
        case unavailable(String)
    }

    private let settings: SigningSettings
    private var signer: RequestSigner
    /// How far the service's clock is ahead of ours, in seconds.
    private(set) var clockOffset: Int64 = 0

    init(_ settings: SigningSettings) {
        self.settings = settings
        signer = RequestSigner(scope: settings.scope)
    }

    /// The fields of a request, signed for this moment.
    ///
    /// - Parameter wallClock: nanoseconds since 1970-01-01T00:00:00Z.
    mutating func fields(_ fetch: Fetch, wallClock: Int64) -> Outcome {
        // Nothing of what the caller sent but the target and the body: the request is the gateway's own.
        let fields = [
            (name: "Host", value: settings.authority), (name: "Content-Type", value: "\(ServiceError.contentType)"),
            (name: "X-Amz-Target", value: fetch.target),
        ]
        let unsigned = [(name: "User-Agent", value: "jobs-proxy"), (name: "Accept", value: "*/*")]
        switch settings.supply.credentials(now: wallClock) {
        case .ready(let credentials):
            let added = signer.sign(
                method: "POST", path: "/", query: "", fields: fields, body: fetch.body, with: credentials,
                at: wallClock / 1_000_000_000 + clockOffset)
            return .fields(fields + added + unsigned)
        case .pending: return .pending
        case .unavailable where settings.mayGoUnsigned: return .fields(fields + unsigned)
        case .unavailable(let reason): return .unavailable(reason)
        }
    }

    /// Takes the service's own time from an answer that refused a signature, perhaps for its time. Others tell nothing: they
    /// may come from something on the way that has a clock of its own.
    ///
    /// Signatures are good for five minutes around the service's time, so that it only counts if the clocks are far apart.
    ///
    /// - Parameters:
    ///   - date: seconds since 1970, from the answer's `Date`.
    ///   - signedOffset: the offset that the refused request was signed with.
    ///   - wallClock: when it came, in nanoseconds since 1970.
    /// - Returns: whether the request would be signed for another time now.
    mutating func learn(date: Int64, signedOffset: Int64, wallClock: Int64) -> Bool {
        let (offset, overflow) = date.subtractingReportingOverflow(wallClock / 1_000_000_000)
        guard !overflow, abs(offset) < Self.farthest else { return false }
        clockOffset = abs(offset) > Self.tolerated ? offset : 0
        return abs(clockOffset - signedOffset) > Self.tolerated
    }

    /// No clock is a hundred years off.
    private static let farthest: Int64 = 100 * 366 * 86_400

    /// A clock that is a minute off does no harm yet, and a `Date` may be some seconds old.
    private static let tolerated: Int64 = 60
}

/// Credentials that were given and do not change.
public struct FixedCredentials: CredentialSupply {
    private let credentials: AWSCredentials

    public init(_ credentials: AWSCredentials) { self.credentials = credentials }

    public func credentials(now: Int64) -> CredentialAnswer { .ready(credentials) }
}
