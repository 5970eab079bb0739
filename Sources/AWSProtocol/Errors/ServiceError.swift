/// An error in the shape of the awsJson protocol
/// (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization).
///
/// botocore reads the code from `__type` alone, other SDKs read `x-amzn-errortype` first: an answer has both.
public struct ServiceError: Error, Sendable, Equatable {
    /// The HTTP status code, 400 to 599.
    public var status: Int
    /// The shape's namespace, such as `com.amazonaws.voiceid`.
    public var namespace: String
    /// The shape's name, such as `ThrottlingException`, which clients call the error code.
    public var code: String
    /// A message for a person: the fault and what to do.
    public var message: String
    /// Other members of the shape, in order.
    public var members: [Member]

    /// A further member of an error shape.
    public struct Member: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(status: Int, namespace: String, code: String, message: String, members: [Member] = []) {
        self.status = status
        self.namespace = namespace
        self.code = code
        self.message = message
        self.members = members
    }

    /// The namespace of the errors that every AWS JSON service shares and no service model declares.
    public static let commonNamespace = "com.amazon.coral.service"

    /// The body: `{"__type":"namespace#Code","Message":"…"}`; awsJson 1.1 has the code without its namespace.
    public func body(_ version: JSONVersion = .awsJson1_0) -> [UInt8] {
        let type = version == .awsJson1_0 ? "\(namespace)#\(code)" : code
        var object: [(name: String, value: JSONValue)] = [("__type", .string(type)), ("Message", .string(message))]
        for member in members { object.append((member.name, .string(member.value))) }
        return JSONValue.object(object).serialized()
    }
}
