/// Why a text is not the JSON that is accepted here, and where.
public struct JSONError: Error, Sendable, Equatable {
    /// What was found.
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
    /// The byte at which it was found, from 0.
    public let offset: Int
}
