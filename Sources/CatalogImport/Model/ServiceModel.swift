internal import AWSProtocol

/// A service's model, whatever notation it was written in.
struct ServiceModel {
    /// A short name for configurations: `sagemaker`, `voice-id`.
    var name: String
    /// The date of the API's version.
    var version: String?
    /// The service's name in a credential scope.
    var signingName: String
    /// The word before the dot in `X-Amz-Target`.
    var targetPrefix: String
    var json: JSONVersion
    var isQueryCompatible = false
    /// By their names.
    var operations: [Operation]
    var shapes: [String: Shape]

    struct Operation {
        var name: String
        /// The names of their shapes.
        var input: String?
        var output: String?
        /// The model says that it only reads.
        var isReadOnly = false
        /// Its requests are not signed.
        var isUnsigned = false
        /// A word before the endpoint's host name, if it is the same for every request.
        var hostPrefix: String?
        var paginator: Paginator?
        /// In HTML.
        var documentation = ""
    }

    /// The members by which a listing goes on.
    struct Paginator {
        var inputTokens: Set<String>
        var outputTokens: Set<String>
        /// The member with the size of a page.
        var limit: String?
    }

    struct Shape {
        enum Kind {
            case string, blob, boolean, integer, number, timestamp, document, list, map, structure
        }

        var kind: Kind
        /// Of a structure, in the order of their names.
        var members: [Member] = []
        /// The shapes of a list's elements, or of a map's keys and values.
        var elements: [String] = []
        var isSensitive = false
        var isStream = false
        var minimum: Int64?
        var maximum: Int64?
        var pattern: String?
        var values: [String] = []
        /// `CODE;Sender` or `CODE;Receiver`, for an error shape with a code of the query protocol.
        var queryError: String?

        /// The shapes that are directly in it.
        var inside: [String] { members.map(\.shape) + elements }
    }

    struct Member {
        var name: String
        var shape: String
        var isRequired = false
        var isIdempotencyToken = false
        var isSensitive = false
        /// In HTML.
        var documentation: String
    }
}

extension ServiceModel {
    /// Reads a model in either notation.
    ///
    /// - Parameter paginators: botocore's `paginators-1.json`; a Smithy model has its own.
    init(_ bytes: [UInt8], paginators: [UInt8]?) throws(ImportFault) {
        let json = try Self.value(bytes, "the model")
        if json["smithy"] != nil {
            self = try Self.smithy(json)
        } else {
            self = try Self.botocore(
                json, try paginators.map { bytes throws(ImportFault) in try Self.value(bytes, "the paginators") })
        }
        operations.sort { $0.name < $1.name }
    }

    /// The limit of a file's size in bytes, unpacked; the largest model has 4 MiB.
    static let maxBytes = 64 << 20

    private static func value(_ bytes: [UInt8], _ name: String) throws(ImportFault) -> JSONValue {
        var bytes = bytes
        if Gzip.isPacked(bytes) {
            guard let content = try? Gzip.unpacked(bytes.span, atMost: maxBytes) else {
                throw .model("\(name): is damaged, or larger than \(maxBytes) bytes when unpacked")
            }
            bytes = content
        }
        do throws(JSONError) { return try JSONValue(bytes) } catch {
            throw .model("\(name): is not JSON: \(error.reason.rawValue) at byte \(error.offset)")
        }
    }

    /// The members of an operation's input.
    func inputMembers(_ operation: Operation) -> [Member] { operation.input.flatMap { shapes[$0] }?.members ?? [] }

    /// The members of an operation's output.
    func outputMembers(_ operation: Operation) -> [Member] { operation.output.flatMap { shapes[$0] }?.members ?? [] }

    /// Returns true if a shape is a string.
    func isString(_ shape: String) -> Bool {
        if case .string = shapes[shape]?.kind { true } else { false }
    }

    /// Returns true if a shape is a whole number.
    func isInteger(_ shape: String) -> Bool {
        if case .integer = shapes[shape]?.kind { true } else { false }
    }

    /// Returns true if a shape is a number, whole or not.
    func isNumber(_ shape: String) -> Bool {
        switch shapes[shape]?.kind {
        case .integer, .number: true
        default: false
        }
    }

    static func slug(_ name: String) -> String {
        name.lowercased().map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    }
}

extension JSONValue {
    /// The members of an object; empty for other kinds.
    var members: [(name: String, value: JSONValue)] {
        if case .object(let members) = self { members } else { [] }
    }

    /// A member that is true.
    func isTrue(_ name: String) -> Bool { self[name] == .bool(true) }

    /// The strings of a member that is one, or a list of them.
    func texts(_ name: String) -> [String] {
        guard let value = self[name] else { return [] }
        return value.string.map { [$0] } ?? value.array?.compactMap(\.string) ?? []
    }
}
