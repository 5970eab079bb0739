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

    @Test("Nothing is a code that is longer than any")
    func longest() {
        let longest = String(repeating: "E", count: 128)
        #expect(ErrorCode.sanitized("ns#\(longest):http://x") == longest)
        #expect(ErrorCode.sanitized(longest + "E") == nil)
        #expect(ErrorCode.find(header: String(repeating: "E", count: 60_000), body: Array("{}".utf8)) == nil)
    }

    @Test(
        "Where the status is good, an error is a __type that is no output's, or a code with a message and nothing else",
        arguments: [
            (#"{"__type":"ns#FooException"}"#, "FooException"), (#"{"__type":"SlowDown","a":1}"#, "SlowDown"),
            (#"{"code":"Foo","message":"m"}"#, "Foo"), (#"{"Message":"m","code":"ns#Foo"}"#, "Foo"),
            (#"{"__type":"ns#ListDomainsResponse","Domains":[]}"#, nil), (#"{"__type":"PutOutput"}"#, nil),
            (#"{"__type":"ListTagsResult"}"#, nil), (#"{"code":"Foo"}"#, nil), (#"{"message":"m"}"#, nil),
            (#"{"code":7,"message":"m"}"#, nil), (#"{"code":"Foo","message":"m","more":1}"#, nil),
            (#"{"code":"Foo","message":{}}"#, nil), (#"{"Message":"m","message":"m"}"#, nil),
        ])
    func good(_ body: String, _ code: String?) throws {
        let bytes = Array(body.utf8)
        #expect(ErrorCode.find(header: nil, body: bytes, isSuccess: true) == code)
        let members = try JSONReader.members(of: bytes.span)
        let (isError, isAbsent) = (
            ErrorCode.isError(members, of: bytes.span), ErrorCode.isPlainlyAbsent(from: bytes.span)
        )
        #expect(isError == (code != nil))
        #expect(!isAbsent)
    }

    @Test("A body that is not read may name an error wherever it spells it, or has escapes that could")
    func mayName() {
        let mayName = { (body: String) in ErrorCode.mayName(in: Array(body.utf8).span) }
        for body in [#"{"__type":1,"__type":2}"#, #"{"\u005f_type":1}"#, "__type"] { #expect(mayName(body)) }
        for body in ["", "{}", "__typ", #"{"a":"\ud800","a_type":1}"#] { #expect(!mayName(body)) }
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
