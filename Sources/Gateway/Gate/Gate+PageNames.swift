internal import AWSProtocol
public import PageCache

/// The operation and the inputs of a page, for operators.
public struct PageName: Sendable, Equatable {
    public let service: String
    public let operation: String
    /// The input's members and their values, such as `DomainId Cq1q, JobStatus COMPLETED`, shortened; of a sensitive operation nothing.
    public let input: String
}

extension Gate {
    /// - Returns: nil if the key's service or operation is not configured.
    public func name(of key: PageKey) -> PageName? {
        guard let parts = KeyParts(key.bytes), let (service, operation, input) = parts.request(services) else {
            return nil
        }
        let text = operation.isSensitive ? "" : Self.words(input.canonicalBody)
        return PageName(service: service.settings.name, operation: operation.name, input: text)
    }

    /// The longest value of a member, and the longest input, in characters.
    private static var longestValue: Int { 48 }
    private static var longestInput: Int { 160 }

    private static func words(_ body: [UInt8]) -> String {
        guard let input = try? JSONValue(body), case .object(let members) = input else { return "" }
        let words = members.map { name, value in
            let text = value.string ?? String(decoding: value.serialized(), as: UTF8.self)
            return "\(name) \(shortened(text, to: longestValue))"
        }
        return shortened(words.joined(separator: ", "), to: longestInput)
    }

    private static func shortened(_ text: String, to length: Int) -> String {
        text.count > length ? text.prefix(length) + "…" : text
    }
}
