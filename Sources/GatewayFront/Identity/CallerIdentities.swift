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
    /// The names in certificates that are a caller's, or were, by their numbers. A connection has the number for life, while a reload may
    /// give its name to another caller, or to none.
    private let certificateNumbers: [PeerCertificate.Name: Int32]
    private let certificateCallers: [CallerID?]

    /// - Parameters:
    ///   - keys: their scopes are those of the gate's services, in order; see `Call.signedScope`.
    ///   - certificates: the gate's callers by a name in their certificate.
    ///   - old: those before a reload.
    public init(
        keys: KeyRing, anonymous: Anonymous, certificates: [PeerCertificate.Name: CallerID] = [:],
        after old: CallerIdentities? = nil
    ) {
        self.keys = keys
        self.anonymous = anonymous
        var numbers = old?.certificateNumbers ?? [:]
        for name in certificates.keys where numbers[name] == nil { numbers[name] = Int32(clamping: numbers.count) }
        var callers = [CallerID?](repeating: nil, count: numbers.count)
        for (name, number) in numbers { callers[Int(number)] = certificates[name] }
        (certificateNumbers, certificateCallers) = (numbers, callers)
    }

    func admitsAnonymous(isLoopback: Bool) -> Bool {
        switch anonymous {
        case .deny: false
        case .loopback: isLoopback
        case .allow: true
        }
    }

    /// The number of the first name in a verified certificate that is a caller's; -1 if none is.
    func number(of certificate: PeerCertificate) -> Int32 {
        certificate.names.lazy.compactMap { certificateNumbers[$0] }.first { caller(ofCertificate: $0) != nil } ?? -1
    }

    /// The caller that the name with a number belongs to now; `nil` if it is no caller's.
    func caller(ofCertificate number: Int32) -> CallerID? {
        certificateCallers.indices.contains(Int(number)) ? certificateCallers[Int(number)] : nil
    }
}
