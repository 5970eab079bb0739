internal import AWSProtocol

/// Where credentials come from.
protocol CredentialSource: Sendable {
    /// Gets them, and blocks for it: a bounded time.
    ///
    /// - Throws: `CredentialFault`: absent if the source is not there or not meant to be used, else failed.
    func fetch() throws(CredentialFault) -> AWSCredentials

    /// The state of the files that it reads, as far as their change means other credentials. It may block as long as the file
    /// system does. The default implementation has none.
    func stamps() -> [FileStamp]
}

extension CredentialSource {
    func stamps() -> [FileStamp] { [] }
}

/// Why a source gave no credentials.
struct CredentialFault: Error, Sendable, Equatable {
    /// Whether those who look for credentials go on looking elsewhere.
    enum Kind: Sendable {
        /// There is no such source here.
        case absent
        /// There is, and it does not work: another one would be somebody else's identity.
        case failed
    }

    let kind: Kind
    /// Half a sentence or several, for an operator. No secret is ever in it; what is from outside is `quoted`.
    let message: String

    static func absent(_ message: String) -> CredentialFault { .init(kind: .absent, message: message) }
    static func failed(_ message: String) -> CredentialFault { .init(kind: .failed, message: message) }

    /// The fault of a source that is meant to be used: that it is absent is a failure.
    func required(by whom: String) -> CredentialFault { .failed("\(whom): \(message)") }
}

extension String {
    /// Between quotation marks, for a message: one line, printable, and not too long.
    var quoted: String { "\"\(shown)\"" }

    /// One line, printable, and not too long.
    var shown: String {
        let scalars = unicodeScalars.prefix(200).map { scalar -> Unicode.Scalar in
            (scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
                || scalar.properties.isDefaultIgnorableCodePoint
                || scalar.value == 0x2028 || scalar.value == 0x2029) ? "?" : scalar
        }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text) + (unicodeScalars.count > 200 ? "…" : "")
    }
}

/// Credentials that are configured.
struct StaticSource: CredentialSource, Discreet {
    let credentials: AWSCredentials

    func fetch() throws(CredentialFault) -> AWSCredentials { credentials }
}
