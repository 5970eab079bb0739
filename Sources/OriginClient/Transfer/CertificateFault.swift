/// Why a certificate was not accepted, in the words that people who look after certificates use.
enum CertificateFault {
    /// A part of libcurl's message (7.88 with OpenSSL 3; earlier ones differ in hyphens), and what it means.
    private static let meanings: [(part: String, words: String)] = [
        ("unable to get local issuer certificate", unknownAuthority),
        ("unable to get issuer certificate", unknownAuthority),
        ("unable to verify the first certificate", unknownAuthority),
        ("self-signed certificate", unknownAuthority),
        ("self signed certificate", unknownAuthority),
        ("certificate has expired", "certificate has expired"),
        ("certificate is not yet valid", "certificate is not valid yet"),
        ("certificate revoked", "certificate is revoked"),
        ("no alternative certificate subject name", otherName),
        ("does not match target host name", otherName),
        ("hostname mismatch", otherName),
        ("IP address mismatch", otherName),
        ("error setting certificate verify locations", "the file of authorities (caBundle) cannot be read"),
        ("error adding trust anchors from file", "the file of authorities (caBundle) cannot be read"),
    ]
    private static let unknownAuthority = "certificate is signed by an unknown authority"
    private static let otherName = "certificate is for another name"

    /// The meaning of a message of libcurl's; `nil` if it is not about a certificate.
    static func words(_ message: String) -> String? { meanings.first { message.contains($0.part) }?.words }
}
