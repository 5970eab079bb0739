import Foundation
import Primitives
import Testing

@testable import Telemetry

@Suite("The access log is JSON lines, bounded")
struct AccessLogTests {
    private static let bound = LogBuffer.maxBytes
    private static let hostile = "a\"b\\c\nd\r\n\u{0}\u{1b}[31m\u{7f}\u{85}\u{2028}é😀\"}\n{\"x\":1"

    private func record(
        operation: String = "ListDomains", caller: String = "dashboard", detail: String = "",
        duration: Int64 = 1_234_567
    ) -> AccessRecord {
        AccessRecord(
            service: "s", operation: operation, caller: caller, outcome: "hit", status: 200, detail: detail,
            requestID: Array("r-1".utf8),
            duration: duration)
    }

    private func objects(_ bytes: [UInt8]) throws -> [[String: Any]] {
        try bytes.split(separator: 0x0a).map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        }
    }

    @Test("A line has every field of the record")
    func fields() throws {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 1_700_000_000) }
        log.record(record(detail: "why"), isGood: true)
        let bytes = log.buffer.take()
        #expect(bytes.last == 0x0a)
        let line = try #require(try objects(bytes).first)
        #expect(line["time"] as? String == "2023-11-14T22:13:20.000000Z")
        #expect(line["service"] as? String == "s")
        #expect(line["operation"] as? String == "ListDomains")
        #expect(line["caller"] as? String == "dashboard")
        #expect(line["outcome"] as? String == "hit")
        #expect(line["status"] as? Int == 200)
        #expect(line["detail"] as? String == "why")
        #expect(line["requestId"] as? String == "r-1")
        #expect(line["durationUs"] as? Int == 1234)
    }

    @Test("A hostile caller or detail stays inside its line")
    func hostile() throws {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
        log.record(record(caller: Self.hostile, detail: Self.hostile), isGood: false)
        #expect(try objects(log.buffer.take()).count == 1)
    }

    @Test("A hostile operation stays inside its line")
    func hostileOperation() throws {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
        log.record(record(operation: Self.hostile), isGood: false)
        let lines = log.buffer.take().split(separator: 0x0a)
        #expect(lines.count == 1)
        #expect(lines.allSatisfy { (try? JSONSerialization.jsonObject(with: Data($0))) != nil })
    }

    @Test("Good answers are left out unless they are wanted", arguments: [(true, 2), (false, 1)])
    func good(_ recordsGood: Bool, _ count: Int) {
        let log = AccessLog(recordsGood: recordsGood) { WallInstant(seconds: 0) }
        log.record(record(), isGood: true)
        log.record(record(), isGood: false)
        #expect(log.buffer.take().count { $0 == 0x0a } == count)
        #expect(log.buffer.dropped == 0)
    }

    @Test("Lines are taken once")
    func takenOnce() {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
        log.record(record(), isGood: true)
        #expect(!log.buffer.take().isEmpty)
        #expect(log.buffer.take().isEmpty)
    }

    @Test("A negative duration counts as none")
    func negativeDuration() throws {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
        log.record(record(duration: -5), isGood: true)
        #expect(try objects(log.buffer.take()).first?["durationUs"] as? Int == 0)
    }

    @Test("What does not fit is dropped and counted, and there is room again after a take")
    func bound() {
        let log = AccessLog(recordsGood: true) { WallInstant(seconds: 0) }
        let detail = String(repeating: "x", count: 40_000)
        for _ in 0..<8000 { log.record(record(detail: detail), isGood: false) }
        let bytes = log.buffer.take()
        let written = bytes.count { $0 == 0x0a }
        #expect(log.buffer.dropped > 0)
        #expect(written + log.buffer.dropped == 8000)
        #expect(bytes.count <= Self.bound)
        log.record(record(), isGood: false)
        #expect(!log.buffer.take().isEmpty)
    }
}
