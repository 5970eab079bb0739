public import AWSProtocol
public import HTTPFront
public import Primitives

/// The identities of callers: the keys and certificates of callers with a name, and the rule for requests without one.
public struct CallerIdentities: Sendable {
    /// The requests without a key of the gateway that are served.
    public enum Anonymous: String, Sendable, CaseIterable {
        /// Requests from this machine.
        case loopback
        case deny
        case allow
    }

    let keys: KeyRing
    let anonymous: Anonymous
    private let certificates: [PeerCertificate.Name: CallerID]

    /// - Parameters:
    ///   - keys: their scopes are those of the gate's services, in order; see `Call.signedScope`.
    ///   - certificates: the gate's callers by a name in their certificate.
    public init(keys: KeyRing, anonymous: Anonymous, certificates: [PeerCertificate.Name: CallerID] = [:]) {
        self.keys = keys
        self.anonymous = anonymous
        self.certificates = certificates
    }

    func admitsAnonymous(isLoopback: Bool) -> Bool {
        switch anonymous {
        case .deny: false
        case .loopback: isLoopback
        case .allow: true
        }
    }

    /// The caller of a verified certificate: of the first of its names that is configured; `nil` if none is.
    func caller(with certificate: PeerCertificate) -> CallerID? {
        certificate.names.lazy.compactMap { certificates[$0] }.first
    }
}
