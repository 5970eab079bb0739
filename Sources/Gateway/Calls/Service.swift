internal import AWSProtocol
public import PageCache
public import Primitives
public import RateLimiter

/// A configured service: its catalog and its settings.
public final class Service: Sendable {
    /// A service's configuration, without its endpoint.
    public struct Settings: Sendable {
        public var name: String
        public var region: String
        public var catalog: Catalog
        /// The quota of each of the catalog's groups, head-room and replicas already taken off.
        public var quotas: [Quota]
        /// From a request's arrival to its answer at the latest, the wait for a quota token included; nanoseconds. An operation whose
        /// attempts have longer has that.
        public var callTimeout: Int64
        /// The longest wait for a quota token, in nanoseconds, and how many may wait for one group.
        public var maxWait: Int64
        public var maxDepth: Int
        /// The groups whose quota is only counted, by their places.
        public var shadowGroups: Set<Int>
        public var signing: Signing
        /// Gives the scopes of its pages their counters.
        public var epochKey = EpochKey.known

        public init(
            name: String, region: String, catalog: Catalog, quotas: [Quota], callTimeout: Int64, maxWait: Int64,
            maxDepth: Int, signing: Signing = .resign, shadowGroups: Set<Int> = []
        ) {
            self.name = name
            self.region = region
            self.catalog = catalog
            self.quotas = quotas
            self.callTimeout = callTimeout
            self.maxWait = maxWait
            self.maxDepth = maxDepth
            self.shadowGroups = shadowGroups
            self.signing = signing
        }
    }

    /// Whose signature the service gets.
    public enum Signing: Sendable, Equatable {
        /// The gateway's own: callers sign for the gateway, and share pages.
        case resign
        /// The caller's, untouched. The gateway cannot verify it, so nothing is shared between requests unless the listener is
        /// trusted.
        case passthrough(isTrusted: Bool)
    }

    /// True if the codes of its errors also stand in `x-amzn-query-error`.
    public let isQueryCompatible: Bool
    /// The last digit of its media type; see `JSONVersion`.
    public let minorDigit: UInt8
    /// Its place among the configured services.
    public let index: Int
    public let settings: Settings
    /// The index of the service whose buckets and queues it uses, which may be its own.
    let quotaOwner: Int
    /// When its buckets are empty.
    let start: MonotonicInstant
    private let region: [UInt8]
    private let signingName: [UInt8]

    /// - Parameters:
    ///   - index: its place among the services.
    ///   - scope: another service of the same catalog and the same account, whose buckets and queues it shares.
    ///   - now: its buckets are empty then.
    public init(index: Int, settings: Settings, sharing scope: Service? = nil, now: MonotonicInstant) {
        self.index = index
        // Shared groups are in shadow mode for both services or for none.
        var settings = settings
        if let scope { settings.shadowGroups = scope.settings.shadowGroups }
        self.settings = settings
        quotaOwner = scope?.quotaOwner ?? index
        start = now
        isQueryCompatible = settings.catalog.isQueryCompatible
        minorDigit = settings.catalog.version.minorDigit
        region = Array(settings.region.utf8)
        signingName = Array(settings.catalog.signingName.utf8)
    }

    public var catalog: Catalog { settings.catalog }

    /// The value of `x-amzn-query-error` for an error; nil if the service's clients do not read it. An error whose code is not in the
    /// model has the code of its shape (https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, "awsQueryCompatible").
    public func queryError(_ code: String, status: Int) -> String? {
        guard isQueryCompatible else { return nil }
        return catalog.queryErrors[code] ?? "\(code);\(status < 500 ? "Sender" : "Receiver")"
    }

    /// True if its requests keep their callers' signatures.
    public var isPassthrough: Bool { settings.signing != .resign }

    /// Returns true if its answers may be cached and shared between requests.
    ///
    /// - Parameter principal: the access key id, for a service that gets its callers' signatures; without one nothing is shared.
    func sharesAnswers(with principal: Span<UInt8>) -> Bool {
        switch settings.signing {
        case .resign: true
        case .passthrough(let isTrusted): isTrusted && !principal.isEmpty
        }
    }

    /// Returns true if it is in a Region.
    func isIn(_ region: Span<UInt8>) -> Bool { region.hasBytes(self.region) }

    /// Returns true if a signature's scope names it.
    func isSigned(as name: Span<UInt8>) -> Bool { name.hasBytes(signingName) }

    /// The scope of all its pages.
    public var everything: EpochScope { EpochScope(allOf: settings.name, key: settings.epochKey) }

    /// The scope of the pages of a domain; of the operations without a domain if it is empty.
    func scope(domain: [UInt8]) -> EpochScope {
        EpochScope(service: settings.name, domain: domain, key: settings.epochKey)
    }
}

extension Service.Settings {
    /// How long a request may wait for a token of a group: not at all where the quota is only counted.
    func maxWait(of group: Int) -> Int64 { shadowGroups.contains(group) ? 0 : maxWait }
}
