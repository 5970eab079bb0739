internal import AWSProtocol

protocol CredentialSource: Sendable {
    /// Fetches credentials. Blocks for a bounded time.
    ///
    /// - Throws: `CredentialFault`: absent if there is no such source or it is switched off, else failed.
    func fetch() throws(CredentialFault) -> AWSCredentials

    /// The state of the files whose change means other credentials. Blocks as long as the file system does. The default
    /// implementation has no files.
    func stamps() -> [FileStamp]

    /// What kind of source it is, for an operator.
    var name: String { get }

    /// Fetches as `fetch` does, and says from where. The default implementation says `name`.
    func found() throws(CredentialFault) -> FoundCredentials
}

/// Credentials, and where they were found.
struct FoundCredentials: Redacted {
    let credentials: AWSCredentials
    let source: String
}

extension CredentialSource {
    func found() throws(CredentialFault) -> FoundCredentials {
        FoundCredentials(credentials: try fetch(), source: name)
    }

    func stamps() -> [FileStamp] { [] }
}

/// The reason why a source returned no credentials.
struct CredentialFault: Error, Sendable, Equatable {
    /// Decides if the chain tries its next source.
    enum Kind: Sendable {
        /// There is no such source. The next one is tried.
        case absent
        /// The source does not work. No other is tried, because it would be another identity.
        case failed
    }

    let kind: Kind
    /// A message for the operator, without a secret. Text from outside is `quoted`.
    let message: String

    static func absent(_ message: String) -> CredentialFault { .init(kind: .absent, message: message) }
    static func failed(_ message: String) -> CredentialFault { .init(kind: .failed, message: message) }
}

extension String {
    /// The text for a message, in quotation marks: one line, printable, at most 200 characters.
    var quoted: String { "\"\(shown)\"" }

    /// The text for a message: one line, printable, at most 200 characters.
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

struct StaticSource: CredentialSource, Redacted {
    let credentials: AWSCredentials
    let name = "keys"

    func fetch() throws(CredentialFault) -> AWSCredentials { credentials }
}
