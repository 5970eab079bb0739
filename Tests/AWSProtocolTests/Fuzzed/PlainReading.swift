@testable import AWSProtocol

/// A second, simpler reader of an `Authorization` field, which splits copies of it.
struct PlainReading: Equatable {
    var credential: [[UInt8]]
    var signedNames: [UInt8]
    var signature: [UInt8]

    init?(_ value: [UInt8]) {
        let algorithm = Array("AWS4-HMAC-SHA256 ".utf8)
        guard value.starts(with: algorithm) else { return nil }
        var parameters: [String: [UInt8]] = [:]
        let rest = value.dropFirst(algorithm.count)
        for piece in rest.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
            let parameter = Array(Array(piece.drop(while: isBlank)).reversed().drop(while: isBlank).reversed())
            guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: parameter[..<equals], as: UTF8.self)
            guard ["Credential", "SignedHeaders", "Signature"].contains(name), parameters[name] == nil else {
                return nil
            }
            parameters[name] = Array(parameter[(equals + 1)...])
        }
        guard let credential = parameters["Credential"], let signedNames = parameters["SignedHeaders"],
            let signature = parameters["Signature"], signature.count == 64, !signedNames.isEmpty
        else { return nil }
        let parts = credential.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.count >= 5, parts.last == Array("aws4_request".utf8) else { return nil }
        let key = Array(parts.dropLast(4).joined(separator: [UInt8(ascii: "/")]))
        let scope = Array(parts.suffix(4).dropLast())
        guard (1...128).contains(key.count), scope[0].count == 8, !scope[1].isEmpty, !scope[2].isEmpty else {
            return nil
        }
        let names = signedNames.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Array.init)
        let areLowercase = names.allSatisfy { name in !name.contains { (65...90).contains($0) } }
        let areOrdered = zip(names, names.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
        guard !names.contains([]), areLowercase, areOrdered else { return nil }
        self.credential = [key] + scope
        self.signedNames = signedNames
        self.signature = signature
    }

    init(_ header: SignatureHeader, _ value: [UInt8]) {
        credential = [header.keyID, header.day, header.region, header.service].map { Array(value[$0]) }
        signedNames = Array(value[header.signedNames])
        signature = Array(value[header.signature])
    }
}
