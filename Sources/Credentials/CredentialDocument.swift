internal import AWSProtocol

/// The JSON object in which containers, instances and processes hand out credentials.
struct CredentialDocument: Discreet {
    private let value: JSONValue
    private let whose: String

    /// - Parameter whose: begins the messages, such as "the answer of the metadata service".
    init(_ text: [UInt8], _ whose: String) throws(CredentialFault) {
        do throws(JSONError) {
            value = try JSONValue(text)
        } catch {
            // The reason and the place are no secret; the text may be one.
            throw .failed("\(whose) is not JSON: \(error.reason.rawValue) (byte \(error.offset))")
        }
        guard value.kind == .object else { throw .failed("\(whose) is no JSON object") }
        self.whose = whose
    }

    /// A member that is a string; nothing if it is missing or null.
    func string(_ name: String) throws(CredentialFault) -> String? {
        switch value[name] {
        case nil, .null: return nil
        case .string(let text): return text
        default: throw .failed("\(name) of \(whose) is no string")
        }
    }

    /// A member that is an integer.
    func integer(_ name: String) -> Int64? { value[name]?.integer }

    /// - Parameter token: the name of the session token.
    func credentials(token: String) throws(CredentialFault) -> AWSCredentials {
        let values = CredentialValues(
            accessKeyID: try string("AccessKeyId"), secretAccessKey: try string("SecretAccessKey"),
            sessionToken: try string(token), expiration: try string("Expiration"))
        return try values.checked(whose, .init(sessionToken: token))
    }

    /// An error code, fit to be shown; nothing if the member is none.
    func code(_ name: String) -> String? { value[name]?.string.flatMap(ErrorName.init)?.text }
}

/// The code of an error in a service's answer: a word. Its message is not shown, because it can quote what was sent.
struct ErrorName {
    let text: String

    init?(_ text: String) {
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        // No longer than any that AWS has, and shorter than a key.
        guard isWord, (1...39).contains(text.utf8.count) else { return nil }
        self.text = text
    }
}
