/// The version of the awsJson protocol that a service speaks. The raw value is its name in Smithy.
public enum JSONVersion: String, Sendable, CaseIterable {
    /// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
    case awsJson1_0
    /// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
    case awsJson1_1

    /// The media type of requests and replies.
    public var contentType: StaticString {
        switch self {
        case .awsJson1_0: "application/x-amz-json-1.0"
        case .awsJson1_1: "application/x-amz-json-1.1"
        }
    }

    /// The digit in which the media types differ.
    public var minorDigit: UInt8 { self == .awsJson1_0 ? UInt8(ascii: "0") : UInt8(ascii: "1") }
}
