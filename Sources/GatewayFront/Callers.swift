public import AWSProtocol

/// Who may call: the keys of those with a name, and the rule for the others.
public struct Callers: Sendable {
    /// Whether requests without a key of the gateway's are served.
    public enum Anonymous: Sendable {
        case deny
        /// Those that come from this machine.
        case loopback
        case allow
    }

    let keys: KeyRing
    let anonymous: Anonymous
    /// The numbers of callers by the names in their certificates.
    private let subjects: [String: Int]
    private let alternativeNames: [String: Int]

    /// - Parameters:
    ///   - keys: their owners are numbers of the gate's callers; their scopes are those of the gate's services, in order.
    ///   - subjects: the gate's callers by the subject of their certificate, in the form of RFC 4514.
    ///   - alternativeNames: the gate's callers by a subject alternative name of their certificate.
    public init(
        keys: KeyRing, anonymous: Anonymous, subjects: [String: Int] = [:], alternativeNames: [String: Int] = [:]
    ) {
        self.keys = keys
        self.anonymous = anonymous
        self.subjects = subjects
        self.alternativeNames = alternativeNames
    }

    func admitsAnonymous(isLoopback: Bool) -> Bool {
        switch anonymous {
        case .deny: false
        case .loopback: isLoopback
        case .allow: true
        }
    }

    /// The number of the caller with a verified certificate; nothing if it is nobody's.
    func caller(subject: String, alternativeNames names: [String]) -> Int? {
        subjects[subject] ?? names.lazy.compactMap { alternativeNames[$0] }.first
    }
}
