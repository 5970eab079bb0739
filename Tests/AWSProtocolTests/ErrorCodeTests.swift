import Testing

@testable import AWSProtocol

@Suite("The error code is found in every spelling that services use")
struct ErrorCodeTests {
    static let spellings = [
        "ThrottlingException", "com.amazonaws.voiceid#ThrottlingException",
        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.validate/",
        "com.amazonaws.voiceid#ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.validate/",
        "com.amazonaws.voiceid#ThrottlingException:http://example.com/page#part",
        "ThrottlingException:http://example.com/#FooException", "ThrottlingException:", "#ThrottlingException",
    ]

    @Test("A namespace ends with #, a URI begins at the first colon", arguments: spellings)
    func sanitized(_ text: String) {
        #expect(ErrorCode.sanitized(text) == "ThrottlingException")
    }

    @Test("Every spelling is found in the header, in __type and in code", arguments: spellings)
    func places(_ text: String) {
        let empty = Array("{}".utf8)
        #expect(ErrorCode.find(header: text, body: empty) == "ThrottlingException")
        for member in ["__type", "code"] {
            let body = JSONValue.object([("Message", .string("slow")), (member, .string(text))]).serialized()
            #expect(ErrorCode.find(header: nil, body: body) == "ThrottlingException")
        }
    }

    @Test("What has no code names none", arguments: ["", " ", ":", "#", "a#", ":http://x", "a b", "é", "a\nb", "a\"b"])
    func nothing(_ text: String) {
        #expect(ErrorCode.sanitized(text) == nil)
    }

    @Test("A colon or hash counts whatever mark follows it", arguments: ["Foo:\u{301}x", "ns#\u{301}Bar:x"])
    func combiningMarks(_ text: String) {
        #expect(ErrorCode.sanitized(text) == (text.hasPrefix("Foo") ? "Foo" : nil))
    }

    @Test("The header goes before the body, __type before code")
    func order() {
        let body = Array(#"{"code":"C","__type":"ns#T"}"#.utf8)
        #expect(ErrorCode.find(header: "H", body: body) == "H")
        #expect(ErrorCode.find(header: nil, body: body) == "T")
        #expect(ErrorCode.find(header: "", body: body) == "T")
        #expect(ErrorCode.find(header: nil, body: Array(#"{"code":"C","__type":7}"#.utf8)) == "C")
    }

    @Test(
        "A body that names none, or is no JSON object, has no code",
        arguments: [
            "", "{}", "[]", "null", "<html>", "{\"__type\":null}", "{\"__type\":{\"code\":\"C\"}}", "{\"code\":400}",
            "{\"a\":{\"__type\":\"T\"}}", "{\"__type\":\"T\"", "{\"message\":\"__type\"}",
        ])
    func bodies(_ body: String) {
        #expect(ErrorCode.find(header: nil, body: Array(body.utf8)) == nil)
    }

    @Test("An error's body has its namespace, code and message first, then its other members")
    func body() {
        var error = ServiceError(
            status: 400, namespace: "com.amazonaws.voiceid", code: "ThrottlingException", message: "Rate exceeded")
        #expect(
            String(decoding: error.body(), as: UTF8.self)
                == #"{"__type":"com.amazonaws.voiceid#ThrottlingException","Message":"Rate exceeded"}"#)
        error.message = "a \"b\"\\\n\u{1}é/"
        error.members = [ServiceError.Member("ResourceType", "DOMAIN"), ServiceError.Member("b", "")]
        #expect(
            String(decoding: error.body(), as: UTF8.self)
                == #"{"__type":"com.amazonaws.voiceid#ThrottlingException","Message":"a \"b\"\\\n\u0001é/","#
                + #""ResourceType":"DOMAIN","b":""}"#)
        #expect(ErrorCode.find(header: nil, body: error.body()) == "ThrottlingException")
    }
}
