import Testing

@testable import AWSProtocol

@Suite("The signing keys of late")
struct SigningKeyTableTests {
    private static let scope = SigningScope(region: "us-east-1", service: "voiceid")

    private static func key(_ secret: String) -> SigningKey {
        SigningKey(secret: secret, day: Array("20150830".utf8).span, scope: scope)
    }

    /// The signature of an empty request.
    private static func digest(_ table: inout SigningKeyTable, at place: Int) -> HexDigest? {
        table.sign(CanonicalRequest(), time: Array("20150830T123600Z".utf8).span, at: place)
    }

    @Test("are kept as they are made, and take no room before")
    func growth() throws {
        var table = SigningKeyTable()
        #expect(table.capacity <= 4)
        for number in 0..<300 {
            let name = SigningKeyTable.Name(key: number / 3 - 1, scope: number % 3, day: 16_000)
            #expect(table.place(of: name) == nil)
            _ = table.insert(Self.key("\(number)"), for: name)
        }
        #expect(table.capacity <= 4096)
        for number in 0..<300 {
            let name = SigningKeyTable.Name(key: number / 3 - 1, scope: number % 3, day: 16_000)
            let place = try #require(table.place(of: name))
            var own = SigningKeyTable()
            let ownPlace = own.insert(Self.key("\(number)"), for: name)
            #expect(Self.digest(&table, at: place)?.isEqual(to: text(Self.digest(&own, at: ownPlace)).span) == true)
        }
    }

    private func text(_ digest: HexDigest?) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: HexDigest.length)
        bytes.withUnsafeMutableBytes { digest?.write(to: $0) }
        return bytes
    }

    @Test("of any number take bounded room, and the last one is always there")
    func bound() {
        var table = SigningKeyTable()
        let key = Self.key("s")
        for number in 0..<20_000 {
            let name = SigningKeyTable.Name(key: number, scope: number % 150, day: 16_000)
            let place = table.insert(key, for: name)
            #expect(table.place(of: name) == place)
        }
        #expect(table.capacity == SigningKeyTable.maxKeys)
    }

    @Test("of days that are over make way for those of today")
    func days() {
        var table = SigningKeyTable()
        let key = Self.key("s")
        for day in 0..<1000 as Range<Int64> {
            for number in 0..<10 {
                let name = SigningKeyTable.Name(key: number, scope: 0, day: day)
                if table.place(of: name) == nil { _ = table.insert(key, for: name) }
            }
        }
        #expect(table.capacity <= 512)
    }
}
