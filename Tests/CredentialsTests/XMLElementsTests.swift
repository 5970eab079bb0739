import AWSProtocol
import TestSupport
import Testing

@testable import Credentials

private func read(_ text: String) throws -> XMLElements { try XMLElements(Array(text.utf8)) }

@Suite("XML")
struct XMLElementsTests {
    @Test("gives texts by their paths, without attributes, comments, instructions and prefixes")
    func paths() throws {
        let elements = try read(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <!-- <r><a>no</a></r> -->
            <s:r xmlns:s="urn:x" a='>"' >
              <a>one<b>two</b>three<!-- no --></a><a>later</a>
              <c/><d x="1" /><e></e>
            </s:r>

            """)
        #expect(elements["r/a"] == "onethree")
        #expect(elements["r/a/b"] == "two")
        #expect(elements["r/c"] == "")
        #expect(elements["r/d"] == "")
        #expect(elements["r/e"] == "")
        #expect(elements["r/f"] == nil)
    }

    @Test("expands its own five entities, numbers and CDATA")
    func references() throws {
        let elements = try read("<r>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;<![CDATA[<&]]>]]</r>")
        #expect(elements["r"] == "<>&\"'A\u{1F600}<&]]")
    }

    @Test(
        "refuses what is not well-formed, and document types",
        arguments: [
            "", " ", "x", "<", "<r", "<r>", "<r></s>", "</r>", "<r></r", "<r/><r/>", "<r></r>x", "x<r/>", "<r a></r>",
            "<r a=b/>", "<r a=\"/>", "<r>&x;</r>", "<r>&lt</r>", "<r>&#0;</r>", "<r>&#xD800;</r>", "<r>&#99999999;</r>",
            "<r>&;</r>", "<!DOCTYPE r [<!ENTITY x \"y\">]><r>&x;</r>", "<r><!-- </r>", "<r><![CDATA[</r>", "<?xml <r/>",
            "< r/>", "<r/", "<=/>",
        ])
    func bad(text: String) {
        #expect(throws: XMLElements.Fault.self) { try read(text) }
    }

    @Test("refuses more than 32 levels")
    func deep() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "<a>", count: levels) + String(repeating: "</a>", count: levels)
        }
        _ = try read(nested(32))
        #expect(throws: XMLElements.Fault.self) { try read(nested(33)) }
    }

    @Test("refuses what is not UTF-8")
    func notText() {
        #expect(throws: XMLElements.Fault(offset: 3)) { try XMLElements(Array("<r>".utf8) + [0xff]) }
    }

    @Test("survives any mutation of an answer")
    func mutations() throws {
        guard case .reply(_, _, let body) = FakeService.assumed("AssumeRole", "ASIA", "2023-11-14T22:13:20Z") else {
            return
        }
        let text = Array(("<?xml version=\"1.0\"?><!-- c -->" + body).utf8)
        _ = try XMLElements(text)
        var random = SeededGenerator(seed: 5)
        var read = 0
        for _ in 0..<10_000 where (try? XMLElements(mutated(text, using: &random))) != nil { read += 1 }
        #expect((500..<9_500).contains(read))
    }
}

@Suite("JSON with credentials")
struct CredentialDocumentTests {
    @Test(
        "refuses what is not an object of strings, without quoting it",
        arguments: [
            ("", "it is not JSON: the text ends too early (byte 0)"),
            ("canary", "it is not JSON: a character that does not belong there (byte 0)"),
            ("[\"canary\"]", "it is no JSON object"),
            ("{}", "it has no AccessKeyId"),
            (#"{"AccessKeyId":"A"}"#, "it has no SecretAccessKey"),
            (#"{"AccessKeyId":null,"SecretAccessKey":"canary"}"#, "it has no AccessKeyId"),
            (#"{"AccessKeyId":1,"SecretAccessKey":"canary"}"#, "AccessKeyId of it is no string"),
            (#"{"AccessKeyId":"A","SecretAccessKey":["canary"]}"#, "SecretAccessKey of it is no string"),
            (#"{"AccessKeyId":"A","SecretAccessKey":"a b"}"#, "the SecretAccessKey of it is none"),
            (#"{"AccessKeyId":"A","SecretAccessKey":"s","Token":"a\r\nb"}"#, "the Token of it is none"),
            (#"{"AccessKeyId":"A","SecretAccessKey":"s","Expiration":17}"#, "Expiration of it is no string"),
            (
                #"{"AccessKeyId":"A","AccessKeyId":"B","SecretAccessKey":"s"}"#,
                "it is not JSON: a member that occurs twice (byte 19)"
            ),
        ])
    func bad(text: String, message: String) {
        #expect(throws: CredentialFault.failed(message)) {
            try CredentialDocument(Array(text.utf8), "it").credentials(token: "Token")
        }
    }

    @Test("a token and an end need not be there")
    func few() throws {
        let text = Array(#"{"AccessKeyId":"A","SecretAccessKey":"s","Token":null,"Expiration":""}"#.utf8)
        let found = try CredentialDocument(text, "it").credentials(token: "Token")
        #expect(found.sessionToken == nil)
        #expect(found.expiration == nil)
    }

    @Test("survives any mutation of an answer")
    func mutations() {
        let text = Array(FakeService.document("ASIA", "2023-11-14T22:13:20Z").utf8)
        var random = SeededGenerator(seed: 4)
        var read = 0
        for _ in 0..<20_000 {
            if (try? CredentialDocument(mutated(text, using: &random), "it").credentials(token: "Token")) != nil {
                read += 1
            }
        }
        #expect((1000..<19_000).contains(read))
    }
}
