internal import HTTPFront
internal import Primitives
internal import StrictYAML

extension ValueParser where Value == PeerCertificate.Name {
    /// The parsers of names by their keys. `san` means the same as `dns`.
    static var certificateNames: [(key: String, parser: ValueParser)] {
        [("subject", subject), ("dns", dns), ("uri", uri), ("ip", ip), ("email", email), ("san", dns)]
    }

    private static var subject: ValueParser {
        ValueParser { scalar throws(Problem) in .subject(try ValueParser<String>.text.read(scalar).utf8) }
    }

    /// A host's name; its first label may be `*`, which a certificate with that name has too.
    private static var dns: ValueParser {
        ValueParser { scalar throws(Problem) in
            let text = try ValueParser<String>.text.read(scalar)
            if IPAddress(text.utf8) != nil { throw Problem("is an IP address: write ip: \(text)") }
            if text.utf8.contains(UInt8(ascii: "@")) { throw Problem("is no DNS name: write email: ADDRESS") }
            if text.utf8.contains(UInt8(ascii: ":")) { throw Problem("is no DNS name: write uri: URI") }
            let name = text.utf8.starts(with: "*.".utf8) ? String(Substring(text.utf8.dropFirst(2))) : text
            guard Host.isValid(name) else { throw Problem("must be a DNS name, not \(text.quoted)") }
            return .dns(text.utf8)
        }
    }

    private static var uri: ValueParser {
        ValueParser { scalar throws(Problem) in
            let scheme = scalar.text.utf8.prefix { $0 != UInt8(ascii: ":") }
            guard scalar.text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), scheme.first?.isLetter == true,
                scheme.count < scalar.text.utf8.count
            else { throw Problem("must be a URI such as spiffe://example.com/dashboard, not \(scalar.text.quoted)") }
            return .uri(scalar.text.utf8)
        }
    }

    private static var ip: ValueParser {
        ValueParser { scalar throws(Problem) in
            guard let address = IPAddress(scalar.text.utf8) else {
                throw Problem("must be an IP address such as 192.0.2.1 or 2001:db8::1, not \(scalar.text.quoted)")
            }
            return .ip(address)
        }
    }

    private static var email: ValueParser {
        ValueParser { scalar throws(Problem) in
            let parts = scalar.text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
            guard scalar.text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), parts.count == 2,
                parts.allSatisfy({ !$0.isEmpty })
            else { throw Problem("must be an e-mail address, not \(scalar.text.quoted)") }
            return .email(scalar.text.utf8)
        }
    }
}
