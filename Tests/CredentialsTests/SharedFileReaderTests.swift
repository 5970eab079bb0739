import TestSupport
import Testing

@testable import Credentials

private func read(_ text: String) throws -> [String: [String: String]] {
    let sections = try SharedFileReader.sections(Array(text.utf8))
    return Dictionary(sections.map { ($0.name, $0.settings) }) { $0.merging($1) { $1 } }
}

@Suite("The format of the shared files")
struct SharedFileReaderTests {
    @Test(
        "reads sections and settings",
        arguments: [
            ("", [:]),
            ("[a]", ["a": [:]]),
            ("[a]\nx=1\ny = 2 \n\n[ b ]\n\tz\t=\t3", ["a": ["x": "1", "y": "2"], "b": ["z": "3"]]),
            ("[a]\r\nx = 1\r\n[b]\r\n", ["a": ["x": "1"], "b": [:]]),
            ("\u{feff}[a]\nx=1", ["a": ["x": "1"]]),
            ("# c\n; c\n  # c\n[a] # c\nx=1", ["a": ["x": "1"]]),
            (
                "[a]\nx=1 # c\ny=2\t; c\nz=3#no\nw=#no\nv= # c",
                ["a": ["x": "1", "y": "2", "z": "3#no", "w": "#no", "v": ""]]
            ),
            ("[a]\nX=1\nx=2", ["a": ["x": "2"]]),
            ("[a]\nx==1=\n", ["a": ["x": "=1="]]),
            ("[a]\nx=1\n[b]\n[a]\ny=2", ["a": ["x": "1", "y": "2"], "b": [:]]),
            ("[a]\ns3 =\n  x = 1\n  y = 2\nz=3", ["a": ["s3": "\nx = 1\ny = 2", "z": "3"]]),
            ("[a]\nx = one\n   two\n# c\n   three\ny=1", ["a": ["x": "one\ntwo\nthree", "y": "1"]]),
            ("[a]\n    x = 1\n    y = 2\n", ["a": ["x": "1", "y": "2"]]),
            ("[a]\nx = [not]\n[b]", ["a": ["x": "[not]"], "b": [:]]),
            ("[profile a b]\nx=ü", ["profile a b": ["x": "ü"]]),
        ] as [(String, [String: [String: String]])])
    func good(text: String, expected: [String: [String: String]]) throws {
        #expect(try read(text) == expected)
    }

    @Test(
        "tells the line of what it does not understand, and nothing of its content",
        arguments: [
            ("x=canary", 1, "stands before the first section"),
            ("[a]\n\ncanary", 3, "is no setting: it has no '='"),
            ("[a]\n=canary", 2, "has no name before its '='"),
            ("[a]\nx=1\n[canary", 3, "has an opening bracket without a closing one"),
            ("[ ]\nx=canary", 1, "names no section"),
        ])
    func bad(text: String, line: Int, message: String) {
        #expect(throws: SharedFileReader.Fault(line: line, message: message)) { try read(text) }
    }

    @Test("refuses what is not UTF-8")
    func notText() {
        #expect(throws: SharedFileReader.Fault(line: 2, message: "is not UTF-8")) {
            try SharedFileReader.sections(Array("[a]\nx=".utf8) + [0xff])
        }
    }

    @Test("survives any mutation of a file")
    func mutations() {
        let text = Array(
            "[default]\naws_access_key_id = A\n  more\n# c\n[profile b]\r\ns3 =\n  x = 1 ; c\nrole_arn=r\n".utf8)
        var random = SeededGenerator(seed: 3)
        var read = 0
        for _ in 0..<20_000 {
            if (try? SharedFileReader.sections(mutated(text, using: &random))) != nil { read += 1 }
        }
        // Both results occur.
        #expect((1000..<19_000).contains(read))
    }
}

/// Changes, removes, repeats or inserts bytes.
func mutated(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
        case 1:
            bytes.insert(
                contentsOf: Array("<>[]{}=:\"'\\\n\r\t &;#/".utf8).shuffled(using: &random).prefix(2), at: place)
        case 2 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 0...9, using: &random)))
        case 4:
            let end = min(bytes.count, place + Int.random(in: 0...30, using: &random))
            bytes.insert(contentsOf: Array(bytes[place..<end]), at: Int.random(in: 0...bytes.count, using: &random))
        default: bytes.removeSubrange(place..<bytes.count)
        }
        if bytes.isEmpty { break }
    }
    return bytes
}
