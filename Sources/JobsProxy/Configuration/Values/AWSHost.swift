internal import Primitives

/// The names of AWS's endpoints.
enum AWSHost {
    /// The Region that an endpoint is in, by its name; `nil` for hosts that are not AWS's and for endpoints of no Region. So it is with
    /// `voiceid.us-east-1.amazonaws.com`, `voiceid-fips.us-east-1.amazonaws.com`, `states.us-east-1.api.aws` (IPv6 too),
    /// `vpce-0a1b-2c3d.states.us-east-1.vpce.amazonaws.com` (PrivateLink) and `states.cn-north-1.amazonaws.com.cn`.
    ///
    /// https://docs.aws.amazon.com/general/latest/gr/rande.html
    static func region(of host: String) -> String? {
        let host = host.hasSuffix(".") ? host.dropLast() : host[...]
        guard let suffix = suffixes.first(where: { host.hasSuffix($0) }) else { return nil }
        return host.dropLast(suffix.utf8.count).split(separator: ".").last(where: isRegion).map(String.init)
    }

    /// True for a host of AWS's.
    static func contains(_ host: String) -> Bool {
        let host = host.hasSuffix(".") ? host.dropLast() : host[...]
        return suffixes.contains { host.hasSuffix($0) }
    }

    /// Of all partitions.
    private static let suffixes = [
        ".amazonaws.com", ".api.aws", ".amazonaws.com.cn", ".api.amazonwebservices.com.cn", ".amazonaws.eu",
        ".api.amazonwebservices.eu",
        ".c2s.ic.gov", ".sc2s.sgov.gov", ".csp.hci.ic.gov", ".cloud.adc-e.uk",
    ]

    /// Returns true for `us-east-1`, `us-gov-west-1` or `eusc-de-east-1`.
    private static func isRegion(_ label: Substring) -> Bool {
        let words = label.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard words.count >= 3, let number = words.last, (1...2).contains(number.count),
            (2...4).contains(words[0].count)
        else { return false }
        return number.allSatisfy(\.isDigit)
            && words.dropLast().allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isLowercaseLetter) }
    }
}
