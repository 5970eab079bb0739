public import AWSProtocol
public import HTTPFront
public import Primitives

/// The callers: the keys and certificates of those with a name, and the rule for requests without one.
public struct Callers: Sendable {
    /// Which requests without a key of the gateway's are served.
    public enum Anonymous: Sendable {
        case deny
        /// Requests from this machine.
        case loopback
        case allow
    }

    let keys: KeyRing
    let anonymous: Anonymous
    /// The callers by a name in their certificates.
    private let certificates: [PeerCertificate.Name: CallerID]

    /// - Parameters:
    ///   - keys: their owners are the indices of `CallerID`s; their scopes are those of the gate's services, in order.
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
