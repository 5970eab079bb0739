/// The result of one thing that `check --connect` tries: a line of its output.
struct TrialResult: Sendable, Equatable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case ok, skipped, warning, error
    }

    let kind: Kind
    /// What was tried, such as `voice-id endpoint`.
    let subject: String
    /// What came of it, without secrets.
    let text: String

    init(_ kind: Kind, _ subject: String, _ text: String) {
        (self.kind, self.subject, self.text) = (kind, subject, text)
    }

    var description: String {
        "\(kind.rawValue)\(String(repeating: " ", count: 8 - kind.rawValue.utf8.count))\(subject): \(text)"
    }
}
