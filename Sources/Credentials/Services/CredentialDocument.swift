internal import AWSProtocol
internal import Primitives

/// The JSON object with credentials that containers, instances and processes return.
struct CredentialDocument: Discreet {
    private let value: JSONValue
    private let whose: String

    /// - Parameter whose: the subject of the messages, such as "the answer of the metadata service".
    /// - Throws: `failed` if the text is not a JSON object.
    init(_ text: [UInt8], _ whose: String) throws(CredentialFault) {
        do throws(JSONError) {
            value = try JSONValue(text)
        } catch {
            // The reason and the position are no secret; the text may be one.
            throw .failed("\(whose) is not JSON: \(error.reason.rawValue) (byte \(error.offset))")
        }
        guard value.kind == .object else { throw .failed("\(whose) is no JSON object") }
        self.whose = whose
    }

    /// The value of a string member; `nil` if it is missing or null.
    ///
    /// - Throws: `failed` for a value of another kind.
    func string(_ name: String) throws(CredentialFault) -> String? {
        switch value[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw .failed("\(name) of \(whose) is no string")
        }
    }

    /// The value of an integer member; `nil` for any other.
    func integer(_ name: String) -> Int64? { value[name]?.integer }

    /// - Parameter token: the name of the member with the session token.
    /// - Throws: `failed` if a member is missing or malformed.
    func credentials(token: String) throws(CredentialFault) -> AWSCredentials {
        let values = CredentialValues(
            accessKeyID: try string("AccessKeyId"), secretAccessKey: try string("SecretAccessKey"),
            sessionToken: try string(token), expiration: try string("Expiration"))
        return try values.checked(whose, .init(sessionToken: token))
    }

    /// The error code in a member; `nil` if it is none that may be shown.
    func code(_ name: String) -> String? { value[name]?.string?.errorCode }
}

extension String {
    /// The text if it can be an error code of a service: one word. The error's message is not shown, because it can quote the request.
    var errorCode: String? {
        let isWord = utf8.allSatisfy { $0.isLetter || $0.isDigit || ".-_".utf8.contains($0) }
        // At most as long as AWS's codes, and shorter than a secret key.
        return isWord && (1...39).contains(utf8.count) ? self : nil
    }
}
