internal import Primitives
internal import SwiftASN1

extension PeerCertificate {
    /// Reads the names of a certificate (RFC 5280, section 4.1). The handshake has verified the rest of it.
    init(der: [UInt8]) throws {
        let certificate = try DER.parse(der)
        guard case .constructed(let parts) = certificate.content else { throw Unreadable() }
        var outer = parts.makeIterator()
        guard let tbs = outer.next(), case .constructed(let fields) = tbs.content else { throw Unreadable() }
        var inner = fields.makeIterator()
        var field = inner.next()
        // The version may be missing.
        if field?.identifier == .explicit(0) { field = inner.next() }
        // After the serial number: signature, issuer, validity, subject.
        for _ in 0..<4 { field = inner.next() }
        guard let field else { throw Unreadable() }
        self.init(names: [.subject(try Self.name(field).utf8)])
        while let extra = inner.next() {
            guard extra.identifier == .explicit(3), case .constructed(let lists) = extra.content else { continue }
            var list = lists.makeIterator()
            guard let extensions = list.next() else { throw Unreadable() }
            names += try Self.alternativeNames(extensions)
        }
    }

    struct Unreadable: Error {}

    // MARK: Subject

    /// `RDNSequence`, the last part first (RFC 4514, section 2.1). Within a part of several values the order is free; it is
    /// OpenSSL's, which operators copy subjects from.
    private static func name(_ node: ASN1Node) throws -> String {
        try children(node).reversed()
            .map { try children($0).reversed().map(attribute).joined(separator: "+") }
            .joined(separator: ",")
    }

    /// `AttributeTypeAndValue` (RFC 4514, sections 2.3 and 2.4).
    private static func attribute(_ node: ASN1Node) throws -> String {
        let parts = try children(node)
        guard parts.count == 2 else { throw Unreadable() }
        let type = try ASN1ObjectIdentifier(derEncoded: parts[0]).oidComponents
            .map { String($0) }.joined(separator: ".")
        if let name = shortNames[type], let value = string(parts[1]) { return "\(name)=\(escaped(value))" }
        return "\(shortNames[type] ?? type)=#\(hexadecimal(parts[1].encodedBytes))"
    }

    /// The attribute types of RFC 4514, section 3, and other common ones, as OpenSSL writes them.
    private static let shortNames = [
        "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O",
        "2.5.4.11": "OU", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
        "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.12": "title", "2.5.4.42": "GN",
        "1.2.840.113549.1.9.1": "emailAddress",
    ]

    /// The text of a string type whose bytes have one meaning.
    private static func string(_ node: ASN1Node) -> String? {
        guard case .primitive(let bytes) = node.content else { return nil }
        switch node.identifier {
        case .utf8String:
            return String(validating: bytes, as: UTF8.self)
        case .printableString, .ia5String, .numericString:
            return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        default:
            return nil
        }
    }

    /// RFC 4514, section 2.4. Control characters are escaped too, so that a name fits into a line of a log.
    private static func escaped(_ value: String) -> String {
        let scalars = Array(value.unicodeScalars)
        var result = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let isEdge = scalar == " " && (index == 0 || index == scalars.count - 1)
            if scalar.value < 0x20 || scalar.value == 0x7f {
                result.append(contentsOf: "\\\(hexadecimal([UInt8(truncatingIfNeeded: scalar.value)]))".unicodeScalars)
                continue
            }
            if isEdge || "\"+,;<>\\".unicodeScalars.contains(scalar) || (scalar == "#" && index == 0) {
                result.append("\\")
            }
            result.append(scalar)
        }
        return String(result)
    }

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes { text.append(hexadecimal: byte, uppercase: true) }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: Alternative names

    /// RFC 5280, section 4.2.1.6.
    private static func alternativeNames(_ extensions: ASN1Node) throws -> [Name] {
        for entry in try children(extensions) {
            let parts = try children(entry)
            guard let type = parts.first, try ASN1ObjectIdentifier(derEncoded: type).oidComponents == [2, 5, 29, 17],
                let value = parts.last, case .primitive(let bytes) = value.content
            else { continue }
            return try children(DER.parse(bytes)).compactMap(alternativeName)
        }
        return []
    }

    /// A name that is text, or an IP address. Text with a byte that is not printable ASCII is none.
    private static func alternativeName(_ node: ASN1Node) -> Name? {
        guard node.identifier.tagClass == .contextSpecific, case .primitive(let bytes) = node.content else {
            return nil
        }
        if node.identifier.tagNumber == 7 { return IPAddress(bytes: Array(bytes)).map(Name.ip) }
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        return switch node.identifier.tagNumber {
        case 1: .email(bytes)
        case 2: .dns(bytes)
        case 6: .uri(bytes)
        default: nil
        }
    }

    private static func children(_ node: ASN1Node) throws -> [ASN1Node] {
        guard case .constructed(let nodes) = node.content else { throw Unreadable() }
        return Array(nodes)
    }
}

extension ASN1Identifier {
    fileprivate static func explicit(_ number: UInt) -> ASN1Identifier {
        ASN1Identifier(tagWithNumber: number, tagClass: .contextSpecific)
    }
}
