import TestSupport
import Testing

@testable import Redis

@Suite("The reader of replies")
struct RESPReaderTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func reading(_ text: String, _ limits: RESPReader.Limits = .init()) -> RESPCheck.Reading {
        RESPCheck.Reading([bytes(text)[...]], limits: limits)
    }

    static let replies: [(String, RESPValue)] = [
        ("+OK\r\n", .simple(bytes("OK"))),
        ("+\r\n", .simple([])),
        ("-ERR no\r\n", .error(RedisServerError("ERR no".utf8))),
        (":0\r\n", .integer(0)),
        (":-1\r\n", .integer(-1)),
        (":9223372036854775807\r\n", .integer(.max)),
        (":-9223372036854775808\r\n", .integer(.min)),
        ("$0\r\n\r\n", .bulk([])),
        ("$4\r\na\r\nb\r\n", .bulk(bytes("a\r\nb"))),
        ("$-1\r\n", .null),
        ("*-1\r\n", .null),
        ("*0\r\n", .array([])),
        ("*2\r\n$1\r\na\r\n*2\r\n:1\r\n*1\r\n$-1\r\n", .array([.bulk([97]), .array([.integer(1), .array([.null])])])),
        ("*1\r\n-NOPERM x\r\n", .array([.error(RedisServerError("NOPERM x".utf8))])),
    ]

    @Test("reads each type, cut anywhere", arguments: replies)
    func types(_ text: String, _ value: RESPValue) {
        let bytes = Self.bytes(text)
        for cut in 0...bytes.count {
            let reading = RESPCheck.Reading([bytes[..<cut], bytes[cut...]], limits: .init())
            #expect(reading.replies == [value] && reading.fault == nil && reading.isBetweenReplies, "cut at \(cut)")
        }
        #expect(RESPCheck.Reading([(bytes + bytes)[...]], limits: .init()).replies == [value, value])
        #expect(RESPCheck.Reading([bytes.dropLast()], limits: .init()).replies.isEmpty)
    }

    static let faults: [(String, RESPFault)] = [
        ("HTTP/1.1 400\r\n", .unknownType(0x48)),
        ("\r\n", .unknownType(13)),
        ("+a\n", .bareLineEnd),
        ("+a\rb\r\n", .bareLineEnd),
        (":\r\n", .malformedNumber),
        (":-\r\n", .malformedNumber),
        (":+1\r\n", .malformedNumber),
        (":01\r\n", .malformedNumber),
        (":-0\r\n", .malformedNumber),
        (": 1\r\n", .malformedNumber),
        (":1 \r\n", .malformedNumber),
        (":0x1\r\n", .malformedNumber),
        (":9223372036854775808\r\n", .malformedNumber),
        (":-9223372036854775809\r\n", .malformedNumber),
        ("$-2\r\n", .negativeLength),
        ("*-9\r\n", .negativeLength),
        ("$1\r\nab\r\n", .missingLineEnd),
        ("$1\r\na\rb", .missingLineEnd),
        ("$2097153\r\n", .bulkTooLong),
        ("$9223372036854775807\r\n", .bulkTooLong),
        ("*9223372036854775807\r\n", .replyTooLong),
        ("*2796203\r\n", .replyTooLong),
        (String(repeating: "*1\r\n", count: 9), .nestedTooDeep),
        ("%1\r\n", .unknownType(0x25)),
    ]

    @Test("refuses everything else, at the same byte however it is cut", arguments: faults)
    func refusals(_ text: String, _ fault: RESPFault) {
        let bytes = Self.bytes(text)
        #expect(Self.reading(text).fault == fault)
        for cut in 0...bytes.count {
            #expect(RESPCheck.Reading([bytes[..<cut], bytes[cut...]], limits: .init()).fault == fault, "cut at \(cut)")
        }
    }

    @Test("stays refused")
    func staysRefused() {
        var reader = RESPReader()
        for text in ["?", "+OK\r\n", ""] {
            let bytes = Self.bytes(text)
            var position = 0
            #expect(throws: RESPFault.unknownType(0x3f)) { try reader.read(bytes.span, &position) }
        }
    }

    @Test("nests eight deep, and lines and replies are bounded")
    func limits() {
        let nested = String(repeating: "*1\r\n", count: 8) + ":1\r\n"
        #expect(Self.reading(nested).replies.count == 1)
        #expect(Self.reading("+" + String(repeating: "a", count: 65_535) + "\r\n").replies.count == 1)
        #expect(Self.reading("+" + String(repeating: "a", count: 65_536) + "\r\n").fault == .lineTooLong)
        let limits = RESPReader.Limits(reply: 20)
        #expect(Self.reading("*2\r\n$2\r\nab\r\n:100\r\n", limits).replies.count == 1)
        #expect(Self.reading("*2\r\n$2\r\nab\r\n:100000\r\n", limits).fault == .replyTooLong)
        #expect(Self.reading("*2\r\n$2\r\nab\r\n$9\r\n", limits).fault == .replyTooLong)
        // The bound is of one reply, not of all.
        #expect(Self.reading(String(repeating: "+abcdefghij\r\n", count: 9), limits).replies.count == 9)
    }

    @Test("agrees with a recursive reader about random and mutated bytes")
    func mutations() {
        var generator = SeededGenerator(seed: 20)
        let alphabet = Self.bytes("+-:$*0123456789\r\n\r\n\r\nab")
        for round in 0..<5_000 {
            var bytes: [UInt8] = []
            if round % 3 == 0 {
                for _ in 0..<Int.random(in: 0...40, using: &generator) {
                    bytes.append(alphabet.randomElement(using: &generator) ?? 0)
                }
            } else {
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    bytes += Self.bytes(Self.replies.randomElement(using: &generator)?.0 ?? "")
                }
                for _ in 0..<Int.random(in: 0...2, using: &generator) {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    bytes[place] = alphabet.randomElement(using: &generator) ?? 0
                }
            }
            if let fault = RESPCheck.fault([UInt8.random(in: 0...255, using: &generator)] + bytes) {
                Issue.record("\(bytes): \(fault)")
                return
            }
        }
    }

    @Test("agrees with it about the fuzzer's corpus")
    func corpus() throws {
        for input in try CorpusInput.all(for: "redis") {
            if let fault = RESPCheck.fault(input.bytes) { Issue.record("\(input.name): \(fault)") }
        }
    }

    @Test("takes no memory for what is only announced")
    func announcements() {
        // Each announces the greatest string; a reader that reserved them would take 20 GB.
        let text = Self.bytes("$2097152\r\n")
        var readers: [RESPReader] = []
        for _ in 0..<10_000 {
            var reader = RESPReader()
            var position = 0
            #expect(throws: Never.self) { _ = try reader.read(text.span, &position) }
            readers.append(reader)
        }
        #expect(readers.allSatisfy { !$0.isBetweenReplies })
    }
}

@Suite("Commands")
struct RedisCommandTests {
    @Test("are arrays of bulk strings, which the reader reads back")
    func encoding() {
        let command = RedisCommand("SET", [Array("a\r\n".utf8), []])
        #expect(String(decoding: command.bytes, as: UTF8.self) == "*3\r\n$3\r\nSET\r\n$3\r\na\r\n\r\n$0\r\n\r\n")
        let reading = RESPCheck.Reading([command.bytes[...]], limits: .init())
        #expect(reading.replies == [.array([.bulk(Array("SET".utf8)), .bulk([97, 13, 10]), .bulk([])])])
        #expect(RedisCommand(text: "GET", "é").bytes == Array("*2\r\n$3\r\nGET\r\n$2\r\né\r\n".utf8))
    }

    @Test("show no argument")
    func description() {
        let command = Greeting.authentication(RedisCredentials(user: "u", password: "sesame"))
        for text in [
            "\(command)", String(reflecting: command), "\([command])", "\(Mirror(reflecting: command).children.count)",
        ] {
            #expect(!text.contains("sesame") && !text.contains("115"))
        }
    }

    @Test("of a script carry its SHA-1")
    func script() {
        let script = RedisScript("return 1")
        #expect(String(decoding: script.digest, as: UTF8.self) == "e0e1f9fabfc9d4800c877a703b823ac0578ff8db")
        let text = String(decoding: script.command(byDigest: true, keys: [[1]], arguments: [[2]]).bytes, as: UTF8.self)
        #expect(
            text.hasPrefix("*5\r\n$7\r\nEVALSHA\r\n$40\r\ne0e1f9")
                && text.hasSuffix("$1\r\n1\r\n$1\r\n\u{1}\r\n$1\r\n\u{2}\r\n"))
    }
}
