import AWSProtocol

/// The tree of a text, `nil` if it is refused.
func tree(_ bytes: [UInt8]) -> JSONValue? { try? JSONValue(bytes) }

func tree(_ text: String) -> JSONValue? { tree(Array(text.utf8)) }

/// The reason why a text is refused, `nil` if it is accepted.
func refusal(_ bytes: [UInt8]) -> JSONError.Reason? {
    do throws(JSONError) {
        _ = try JSONReader.value(of: bytes.span)
        return nil
    } catch {
        return error.reason
    }
}

func refusal(_ text: String) -> JSONError.Reason? { refusal(Array(text.utf8)) }

/// The reason why a text is refused as a request's body, `nil` if it is an object.
func memberRefusal(_ text: String) -> JSONError? {
    do throws(JSONError) {
        _ = try JSONReader.members(of: Array(text.utf8).span)
        return nil
    } catch {
        return error
    }
}

/// The value of a text that is one string.
func stringValue(_ text: String) -> [UInt8]? {
    let bytes = Array(text.utf8)
    guard let token = try? JSONReader.value(of: bytes.span), token.kind == .string else { return nil }
    return token.string(in: bytes.span)
}

/// The value of a text that is one integer.
func integerValue(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return (try? JSONReader.value(of: bytes.span))?.integer(in: bytes.span)
}
