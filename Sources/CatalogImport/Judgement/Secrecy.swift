/// The table of what must not be kept: by the names of members, and by the traits of models.
///
/// An answer with a password, a token or a signed address is meant for one caller and one moment. An answer that the model calls
/// sensitive is meant for few eyes.
enum Secrecy {
    /// Returns true if a member's value is a secret, or is good once or for a short time only.
    ///
    /// - Parameter holdsText: the value is a text, bytes, or a document, or a list or map of these: numbers, dates and yes or no are no
    ///   secrets, and what a structure holds is judged by itself.
    static func isToken(_ name: String, holdsText: Bool, documentation: String = "") -> Bool {
        guard holdsText, !harmless.contains(name.lowercased()) else { return false }
        let words = Words(name)
        if signed.contains(where: words.hold) || isSigned(documentation) { return true }
        guard let last = words.all.last, !aspects.contains(last) else { return false }
        return secrets.contains(where: words.hold)
    }

    /// Returns true if an operation's name says that it gets a secret or a signed address: `GetSessionToken`, `GetDashboardUrl`.
    static func isToken(operation name: String) -> Bool {
        let words = Words(name)
        guard words.all.first == "get", name != "GetQueueUrl", let last = words.all.last else { return false }
        return ["url", "uri", "link", "manifest"].contains(last)
            || (!aspects.contains(last) && secrets.contains(where: words.hold))
    }

    /// Returns true if a top-level member continues a listing.
    static func continuesListing(_ name: String, _ tokens: Set<String>) -> Bool {
        tokens.contains(name)
            || ["nexttoken", "nextpagetoken", "pagetoken", "paginationtoken"].contains(name.lowercased())
    }

    /// The words of secrets, and of what is good once or for a short time: whatever else stands in the name.
    private static let secrets =
        """
        password; passwords; passwd; cred; creds; passphrase; secret; secrets; credential; credentials; private key; access key; access keys;
        api key; api keys; apikey; mac key; hmac key; session key; shared key; activation key; encryption key; license key;
        activation code; unlock code; auth code; authorization code; verification code; confirmation code; registration code;
        device code; user code; redemption code; plaintext; plain text; token; tokens; jwt; ticket; tickets; iterator; iterators;
        receipt handle; task handle; cookie; cookies; nonce; otp; one time; saml; assertion; access key id; access key ids;
        auth data; authentication data; key material; wallet; dynamic data
        """.split(separator: ";").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }

    /// The words of addresses with a signature in them, which is good for minutes.
    private static let signed =
        """
        presigned; pre signed; signed url; signed uri; download url; download uri; download link; upload url; upload uri;
        authorized url; access url; login url; login uri; console url; activation url; activation link; access key id; access key ids
        """.split(separator: ";").map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }

    /// The last words of names that say something about a secret, and are none: `SecretArn`, `PasswordPolicy`, `TokenUrl`.
    private static let aspects: Set<String> = [
        "algorithm", "arn", "arns", "attribute", "count", "creation", "date", "description", "domain", "domains",
        "encryption",
        "endpoint", "expiration", "expiry", "field", "fingerprint", "format", "frequency", "generation", "id",
        "identifier", "ids",
        "issuer", "issuers", "label", "length", "level", "location", "method", "mode", "name", "names",
        "option", "origin",
        "owner", "parameter", "policy", "position", "prefix", "provider", "reason", "role", "rotation", "setting",
        "source", "stage",
        "stages", "state", "status", "time", "timestamp", "type", "types", "unit", "units", "uri", "url", "usage",
        "version",
        "versions",
    ]

    /// Tokens that callers choose themselves and get back.
    private static let harmless: Set<String> = [
        "clienttoken", "clientrequesttoken", "lastclientrequesttoken", "idempotencytoken", "creationtoken",
    ]

    private static func isSigned(_ documentation: String) -> Bool {
        let text = documentation.lowercased()
        return [
            "presigned", "pre-signed", "pre signed", "signed url", "temporary uri", "temporary url", "url to download",
            "link to the file",
        ].contains { text.contains($0) }
    }
}
