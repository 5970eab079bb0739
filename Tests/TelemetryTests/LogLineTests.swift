import Foundation
import Primitives
import Telemetry
import Testing

@Suite("A line of the log")
struct LogLineTests {
    private static let time = WallInstant(nanoseconds: 1_767_323_045_000_006_999)
    private static let hostile = "a\"b\\c\nd\r\te\u{0}\u{1b}[31m\u{7f}\u{9b}\u{2028}é😀\"}\n{\"x\":1 y=2"

    private func line(_ format: LogFormat, _ values: [(String, String)] = []) -> String {
        var line = LogLine(format, time: Self.time, level: "info", message: "hello world")
        for (name, value) in values { line.add(name, value.utf8) }
        line.add("n", -5)
        return String(decoding: line.finish(), as: UTF8.self)
    }

    @Test("begins with its time in microseconds, its level and its message")
    func start() {
        #expect(
            line(.json)
                == "{\"time\":\"2026-01-02T03:04:05.000006Z\",\"level\":\"info\",\"message\":\"hello world\",\"n\":-5}\n"
        )
        #expect(line(.text) == "time=2026-01-02T03:04:05.000006Z level=info message=\"hello world\" n=-5\n")
    }

    @Test("holds any value without loss, in JSON")
    func json() throws {
        let text = line(.json, [("v", Self.hostile), ("empty", "")])
        #expect(text.utf8.count { $0 == 0x0a } == 1)
        let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(object["v"] as? String == Self.hostile)
        #expect(object["empty"] as? String == "")
        #expect(object["n"] as? Int == -5)
    }

    @Test(
        "quotes what is no word, in text",
        arguments: [
            ("word", "v=word"), ("", "v=\"\""), ("a b", "v=\"a b\""), ("a=b", "v=\"a=b\""), ("a\"b", "v=\"a\\\"b\""),
            ("a\nb", "v=\"a\\nb\""), ("\u{1b}[0m", "v=\"\\u001b[0m\""), ("\u{9b}", "v=\"\\u009b\""), ("é", "v=é"),
        ])
    func text(_ value: String, _ expected: String) {
        #expect(line(.text, [("v", value)]).hasSuffix(" \(expected) n=-5\n"))
    }

    @Test("keeps names that could be taken for values inside their line, in text")
    func names() {
        #expect(line(.text, [("a b=\"c\n", "v")]).hasSuffix(" a_b__c_=v n=-5\n"))
    }

    @Test("cuts long values off between characters, and replaces bytes that are no text")
    func bounds() {
        var line = LogLine(.json, time: Self.time, level: "info", message: "m")
        line.add("long", String(repeating: "é", count: 10).utf8, atMost: 5)
        line.add("whole", "12345".utf8, atMost: 5)
        line.add("broken", [0x61, 0xff, 0x62] as [UInt8])
        let text = String(decoding: line.finish(), as: UTF8.self)
        #expect(text.contains("\"long\":\"éé…\",\"whole\":\"12345\",\"broken\":\"a\u{fffd}b\""))
    }
}
