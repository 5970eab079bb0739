import Testing

@testable import AWSProtocol

@Suite("A JSON tree is written as it was read")
struct JSONValueTests {
    @Test("What is written reads back as the same tree", arguments: [31, 32] as [UInt64])
    func roundTrip(_ seed: UInt64) throws {
        var maker = JSONMaker(seed: seed)
        for _ in 0..<500 {
            let first = try JSONValue(maker.text())
            let written = first.serialized()
            let second = try JSONValue(written)
            #expect(second == first)
            #expect(second.serialized() == written)
        }
    }

    @Test(
        "A text is written without white space, members in their order",
        arguments: [
            (#" { "b" : [ 1 , 2.50 , 1E+1 ] , "a" : { } } "#, #"{"b":[1,2.50,1E+1],"a":{}}"#),
            (#"[ ]"#, "[]"), (#"[null, true ,false]"#, "[null,true,false]"), (#""\/\u0041""#, #""/A""#),
            (#""\u00e9\ud83d\ude00""#, "\"é😀\""), (#""\u000a\u000d\u0009""#, #""\n\r\t""#), ("-0", "-0"),
        ])
    func compact(_ text: String, _ written: String) throws {
        #expect(String(decoding: try JSONValue(Array(text.utf8)).serialized(), as: UTF8.self) == written)
    }

    @Test("Each control character, quotation mark and backslash is escaped and read back")
    func escaping() throws {
        let value = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar(UInt8($0)) }))
        let written = JSONValue.string(value).serialized()
        #expect(written.allSatisfy { $0 >= 0x20 })
        #expect(try JSONValue(written) == .string(value))
    }

    @Test("Members, texts, integers and elements are found by kind")
    func access() throws {
        let value = try JSONValue(Array(#"{"s":"x","i":-5,"f":1.5,"a":[1],"n":null}"#.utf8))
        #expect(value["s"]?.string == "x")
        #expect(value["i"]?.integer == -5)
        #expect(value["f"]?.integer == nil)
        #expect(value["a"]?.array == [.integer(1)])
        #expect(value["n"] == .null)
        #expect(value["x"] == nil)
        #expect(value["s"]?.integer == nil && value["i"]?.string == nil && value["s"]?.array == nil)
        #expect(JSONValue.null["s"] == nil)
    }

    @Test("Trees that differ are not equal")
    func inequality() {
        #expect(tree(#"{"a":1,"b":2}"#) != tree(#"{"b":2,"a":1}"#))
        #expect(tree("1") != tree("1.0"))
        #expect(tree("\"1\"") != tree("1"))
        #expect(tree("[1]") != tree("[1,1]"))
    }
}
