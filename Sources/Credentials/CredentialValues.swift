internal import AWSProtocol
internal import Primitives

/// Unchecked credentials of a source. All values from outside go through `checked`, because key id and token become header
/// fields.
struct CredentialValues: Discreet {
    var accessKeyID: String?
    var secretAccessKey: String?
    var sessionToken: String?
    /// A time in ISO 8601.
    var expiration: String?

    /// The names of the source's members, for messages.
    struct Names {
        var accessKeyID = "AccessKeyId"
        var secretAccessKey = "SecretAccessKey"
        var sessionToken = "SessionToken"
        var expiration = "Expiration"
    }

    /// - Parameter whose: the subject of the message, such as "the answer of the metadata service".
    /// - Throws: `failed` if a value is missing or malformed.
    func checked(_ whose: String, _ names: Names = Names()) throws(CredentialFault) -> AWSCredentials {
        guard let accessKeyID, !accessKeyID.isEmpty else { throw .failed("\(whose) has no \(names.accessKeyID)") }
        guard let secretAccessKey, !secretAccessKey.isEmpty else {
            throw .failed("\(whose) has no \(names.secretAccessKey)")
        }
        // A slash or a comma would end the key id within the Authorization field.
        guard accessKeyID.utf8.count <= 128, Self.isGraphic(accessKeyID),
            !accessKeyID.utf8.contains(where: { "/,=".utf8.contains($0) })
        else { throw .failed("the \(names.accessKeyID) of \(whose) is none") }
        guard secretAccessKey.utf8.count <= 1024, Self.isGraphic(secretAccessKey) else {
            throw .failed("the \(names.secretAccessKey) of \(whose) is none")
        }
        let token = sessionToken.flatMap { $0.isEmpty ? nil : $0 }
        if let token, token.utf8.count > 16 * 1024 || !Self.isGraphic(token) {
            throw .failed("the \(names.sessionToken) of \(whose) is none")
        }
        var end: WallInstant?
        if let expiration, !expiration.isEmpty {
            guard let time = Timestamp.instant(expiration) else {
                throw .failed(
                    "the \(names.expiration) of \(whose) is no time in ISO 8601, such as 2025-01-31T12:00:00Z")
            }
            end = time
        }
        return AWSCredentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: token, expiration: end)
    }

    private static func isGraphic(_ text: String) -> Bool { text.utf8.allSatisfy { (0x21...0x7e).contains($0) } }
}
