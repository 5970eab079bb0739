import Testing

@testable import AWSProtocol

@Suite("JSON that RFC 8259 allows is read")
struct JSONReaderAcceptanceTests {
    @Test(
        "Every number of the grammar is accepted",
        arguments: [
            "0", "-0", "1", "-1", "10", "123456789012345678901234567890", "0.0", "-0.5", "1.25", "1e1", "1E1", "1e+1",
            "1e-1", "0e0", "-0.0e-0", "1.5E+10", "1e0001",
        ])
    func numbers(_ text: String) {
        #expect(refusal(text) == nil)
        #expect(tree(text) == .number(text))
    }

    @Test(
        "An integer without fraction and exponent has a value if it fits 64 bits",
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-7", -7), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("-9223372036854775809", nil),
            ("99999999999999999999999", nil), ("7.0", nil), ("1e1", nil), ("1E0", nil), ("\"7\"", nil), ("true", nil),
        ] as [(String, Int64?)])
    func integers(_ text: String, _ value: Int64?) {
        #expect(integerValue(text) == value)
    }

    @Test(
        "Escape sequences stand for their characters",
        arguments: [
            (#""""#, ""), (#""a""#, "a"), (#""\"""#, "\""), (#""\\""#, "\\"), (#""\/""#, "/"), (#""\b""#, "\u{8}"),
            (#""\f""#, "\u{c}"), (#""\n""#, "\n"), (#""\r""#, "\r"), (#""\t""#, "\t"), (#""\u0041""#, "A"),
            (#""\u00e9""#, "\u{e9}"), (#""\u00E9""#, "\u{e9}"), (#""\u20AC""#, "\u{20ac}"), (#""\uFFFF""#, "\u{ffff}"),
            (#""\ud7ff""#, "\u{d7ff}"), (#""\ue000""#, "\u{e000}"), (#""\u0000""#, "\0"),
            (#""\ud83d\ude00""#, "\u{1f600}"), (#""\uD800\uDC00""#, "\u{10000}"), (#""\udbff\udfff""#, "\u{10ffff}"),
            (#""a\\u0041b""#, "a\\u0041b"), (#""x\u0041\n😀y""#, "xA\n😀y"), ("\"\u{7f}\u{2028}é\"", "\u{7f}\u{2028}é"),
        ])
    func escapes(_ text: String, _ value: String) {
        #expect(stringValue(text) == Array(value.utf8))
    }

    @Test("The four white space characters may stand around every token")
    func space() {
        let text = " \t\r\n{ \t\r\n\"a\" \t\r\n: \t\r\n[ \t\r\n1 \t\r\n, \t\r\ntrue \t\r\n] \t\r\n} \t\r\n"
        #expect(tree(text) == .object([("a", .array([.number("1"), .bool(true)]))]))
    }

    @Test(
        "A text may be any one value",
        arguments: [
            ("null", JSONValue.null), ("true", .bool(true)), ("false", .bool(false)), ("\"\"", .string("")),
            ("[]", .array([])), ("{}", .object([])), ("[[],{}]", .array([.array([]), .object([])])),
            (#"{"":{"":null}}"#, .object([("", .object([("", .null)]))])),
        ])
    func values(_ text: String, _ value: JSONValue) {
        #expect(tree(text) == value)
    }

    @Test("Members keep their order and their places in the text")
    func members() throws {
        let text = Array(#" {"b": "x\u0041", "a":[1, 2] } "#.utf8)
        let members = try JSONReader.members(of: text.span)
        #expect(members.map { String(decoding: $0.name.string(in: text.span), as: UTF8.self) } == ["b", "a"])
        #expect(members.map { String(decoding: text[$0.value.range], as: UTF8.self) } == [#""x\u0041""#, "[1, 2]"])
        #expect(members.map(\.value.kind) == [.string, .array])
    }

    @Test("A name is compared by its value, not by its spelling")
    func names() throws {
        let text = Array(#"{"\u0044omainId":1}"#.utf8)
        let member = try #require(try JSONReader.members(of: text.span).first)
        let equal = member.name.equals(Array("DomainId".utf8), in: text.span)
        let other = member.name.equals(Array("DomainIx".utf8), in: text.span)
        #expect(equal && !other)
    }

    @Test("As many levels are accepted as are promised, of arrays, objects and both")
    func depth() {
        let most = JSONReader.maxDepth
        #expect(refusal(String(repeating: "[", count: most) + String(repeating: "]", count: most)) == nil)
        let objects = String(repeating: "{\"a\":", count: most - 1) + "{}" + String(repeating: "}", count: most - 1)
        #expect(refusal(objects) == nil)
        #expect(memberRefusal(objects) == nil)
    }

    @Test("Many members with different names are accepted, and many objects with the same names")
    func many() {
        let object = "{" + (0..<500).map { "\"n\($0)\":\($0)" }.joined(separator: ",") + "}"
        #expect(refusal("[\(object),\(object)]") == nil)
    }
}
