public import AWSProtocol
internal import Gateway
internal import OriginClient
internal import Primitives

/// How requests to a service are signed.
public struct SigningSettings: Sendable {
    /// The scope of the signatures.
    public var scope: SigningScope
    public var supply: any CredentialSupply
    /// `host[:port]` as the service knows itself: it is signed, and sent as `Host`.
    public var authority: String
    /// True if requests go out unsigned where there are no credentials: a stand-in on this machine may not want any.
    public var mayGoUnsigned: Bool
    public var version: JSONVersion
    /// True if the service is asked for the codes of the query protocol.
    public var isQueryCompatible: Bool

    public init(
        scope: SigningScope, supply: any CredentialSupply, authority: String, mayGoUnsigned: Bool = false,
        version: JSONVersion = .awsJson1_0, isQueryCompatible: Bool = false
    ) {
        self.version = version
        self.isQueryCompatible = isQueryCompatible
        self.scope = scope
        self.supply = supply
        self.authority = authority
        self.mayGoUnsigned = mayGoUnsigned
    }
}

/// Writes and signs the fields of requests to one service. Used on the upstream's thread only. A class, because copying all
/// that it remembers costs more than a lookup.
final class ServiceSigner {
    /// The result of signing.
    enum Outcome {
        case lines(HeaderLines)
        /// The credentials are being fetched.
        case pending
        /// There are none; the reason is for the operator, not for clients.
        case unavailable(String)
    }

    /// The parts that are the same in all requests that are signed with the same credentials.
    private struct Constants {
        var credentials: AWSCredentials?
        var authority: [UInt8]
        var lines: HeaderLines
        var names: [UInt8]
    }

    private var settings: SigningSettings
    private let takesHostPrefix: Bool
    private let contentType: [UInt8]
    private var signer: RequestSigner
    private var constants: Constants
    /// Those of operations with a word before the host, by the word; of the same credentials.
    private var prefixed: [String: Constants] = [:]
    /// The service's clock minus the gateway's, in seconds.
    private(set) var clockOffset: Int64 = 0
    /// Counts the credentials that requests were signed with.
    private(set) var generation = 0
    /// The last of them that the service did not accept; nil if it has accepted all.
    private var refusedGeneration: Int?

    /// - Parameter takesHostPrefix: see `UpstreamSettings`.
    init(_ settings: SigningSettings, takesHostPrefix: Bool = false) {
        self.settings = settings
        self.takesHostPrefix = takesHostPrefix
        contentType = Array("\(settings.version.contentType)".utf8)
        signer = RequestSigner(scope: settings.scope)
        constants = Self.constants(nil, settings)
    }

    /// Signs with the credentials of another supply from now on. What is known of the service's clock stays.
    func use(_ supply: any CredentialSupply) {
        settings.supply = supply
        refusedGeneration = nil
    }

    /// The fields of a request, signed for this moment if the service asks for a signature.
    func lines(_ fetch: Fetch, wallClock: WallInstant) -> Outcome {
        if fetch.isUnsigned { return .lines(unsigned(fetch)) }
        switch settings.supply.credentials(now: wallClock) {
        case .ready(let credentials):
            if constants.credentials != credentials {
                use(credentials)
                generation += 1
            }
            return .lines(signed(fetch, with: credentials, at: wallClock + clockOffset * 1_000_000_000))
        case .pending: return .pending
        case .unavailable where settings.mayGoUnsigned:
            if constants.credentials != nil { use(nil) }
            return .lines(unsigned(fetch))
        case .unavailable(let reason): return .unavailable(reason)
        }
    }

    /// The fields of a request without a signature.
    private func unsigned(_ fetch: Fetch) -> HeaderLines {
        let constants =
            constants.credentials == nil
            ? constants(for: fetch)
            : Self.constants(nil, settings, prefix: takesHostPrefix ? fetch.hostPrefix ?? "" : "")
        var lines = HeaderLines(constants.lines, room: 128)
        lines.add("X-Amz-Target", fetch.target.utf8.span)
        if let coding = fetch.contentEncoding { lines.add("Content-Encoding", coding.utf8.span) }
        return lines
    }

    private func use(_ credentials: AWSCredentials?) {
        constants = Self.constants(credentials, settings)
        prefixed = [:]
    }

    private func constants(for fetch: Fetch) -> Constants {
        guard takesHostPrefix, let prefix = fetch.hostPrefix else { return constants }
        if let known = prefixed[prefix] { return known }
        let made = Self.constants(constants.credentials, settings, prefix: prefix)
        prefixed[prefix] = made
        return made
    }

    /// Nothing of what the caller sent but the target and the body, with its coding: the request is the gateway's own.
    private static func constants(
        _ credentials: AWSCredentials?, _ settings: SigningSettings, prefix: String = ""
    ) -> Constants {
        let authority = prefix + settings.authority
        var lines = HeaderLines()
        lines.add("Host", authority.utf8.span)
        lines.add("Content-Type", "\(settings.version.contentType)".utf8.span)
        lines.add("User-Agent", "jobs-proxy".utf8.span)
        lines.add("Accept", "*/*".utf8.span)
        var names = ["content-type", "host", "x-amz-date", "x-amz-target"]
        if let token = credentials?.sessionToken {
            lines.add("X-Amz-Security-Token", token.utf8.span)
            names.insert("x-amz-security-token", at: 3)
        }
        if settings.isQueryCompatible {
            lines.add("x-amzn-query-mode", "true".utf8.span)
            names.append("x-amzn-query-mode")
        }
        return Constants(
            credentials: credentials, authority: Array(authority.utf8), lines: lines,
            names: Array(names.joined(separator: ";").utf8))
    }

    private func signed(_ fetch: Fetch, with credentials: AWSCredentials, at instant: WallInstant) -> HeaderLines {
        let time = signer.time(at: instant)
        let constants = constants(for: fetch)
        var lines = HeaderLines(constants.lines, room: 512)
        lines.add("X-Amz-Target", fetch.target.utf8.span)
        lines.add("X-Amz-Date", time.span)
        var names = constants.names
        if let coding = fetch.contentEncoding {
            lines.add("Content-Encoding", coding.utf8.span)
            names.insert(contentsOf: "content-encoding;".utf8, at: 0)
        }
        let (authority, contentType) = (constants.authority, contentType)
        let isQueryCompatible = settings.isQueryCompatible
        lines.add("Authorization") { bytes in
            signer.appendAuthorization(
                to: &bytes, signedNames: names, body: fetch.body, with: credentials, time: time
            ) { canonical in
                canonical.begin(method: "POST".utf8.span, path: "/".utf8.span, query: Span())
                // In the order of their names, as `constants` has them.
                if let coding = fetch.contentEncoding {
                    canonical.field("content-encoding".utf8.span, coding.utf8.span)
                }
                canonical.field("content-type".utf8.span, contentType.span)
                canonical.field("host".utf8.span, authority.span)
                canonical.field("x-amz-date".utf8.span, time.span)
                if let token = credentials.sessionToken {
                    canonical.field("x-amz-security-token".utf8.span, token.utf8.span)
                }
                canonical.field("x-amz-target".utf8.span, fetch.target.utf8.span)
                if isQueryCompatible { canonical.field("x-amzn-query-mode".utf8.span, "true".utf8.span) }
            }
        }
        return lines
    }

    /// Takes the service's own time from an answer that refused a request, perhaps for its time. Others tell nothing: they
    /// may come from something on the way that has a clock of its own.
    ///
    /// - Parameters:
    ///   - date: the answer's `Date`.
    ///   - signedOffset: the offset that the refused request was signed with.
    ///   - wallClock: when it came.
    /// - Returns: true if the request would be signed for another time now.
    func learn(date: WallInstant, signedOffset: Int64, wallClock: WallInstant) -> Bool {
        guard let offset = AWSTime.clockOffset(date: date, now: wallClock) else { return false }
        clockOffset = offset
        return abs(offset - signedOffset) > AWSTime.toleratedOffset
    }

    /// Returns true if the service has not refused these credentials before.
    func noteRefusal(of generation: Int) -> Bool {
        defer { refusedGeneration = generation }
        return refusedGeneration != generation
    }

    /// Has credentials renewed that the service did not accept.
    ///
    /// - Parameter generation: of those that the refused request was signed with.
    /// - Returns: true if there are others now, or may be soon.
    func renew(after generation: Int, wallClock: WallInstant) -> Bool {
        guard generation == self.generation else { return true }
        guard let credentials = constants.credentials else { return false }
        return settings.supply.renew(credentials, now: wallClock)
    }
}
