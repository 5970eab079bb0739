/// A fault in a JSON text, and its position.
public struct JSONError: Error, Sendable, Equatable {
    /// The fault.
    public enum Reason: String, Sendable {
        case invalidUTF8 = "the text is not UTF-8"
        case unexpectedEnd = "the text ends too early"
        case unexpectedCharacter = "a character that does not belong there"
        case invalidEscape = "an escape sequence that means no character"
        case invalidNumber = "a malformed number"
        case controlCharacter = "a control character inside a string"
        case duplicateMember = "a member that occurs twice"
        case tooDeep = "too many levels of nesting"
        case trailingText = "text after the value"
        case notAnObject = "a value that is not an object"
    }

    public let reason: Reason
    /// The index of the byte at which the fault was found.
    public let offset: Int
}
