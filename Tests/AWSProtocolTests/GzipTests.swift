import AWSProtocol
import TestSupport
import Testing

@Suite("Content in gzip is unpacked within a limit")
struct GzipTests {
    @Test("What is packed is unpacked as it was", arguments: [0, 1, 100, 1_000_000])
    func roundTrip(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let made = Gzip.packed(bytes.span)
        let packed = try #require(made)
        #expect(Gzip.isPacked(packed))
        let unpacked = try Gzip.unpacked(packed.span, atMost: count)
        #expect(unpacked == bytes)
    }

    /// 1001 bytes in 29: a bracket and spaces.
    static let bomb: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 139, 86, 24, 5, 163, 96, 20, 12, 123, 0, 0, 68, 15, 28, 231, 233, 3, 0, 0,
    ]

    private static func fault(_ bytes: [UInt8], atMost limit: Int = 1 << 20) -> Gzip.Fault? {
        do throws(Gzip.Fault) {
            _ = try Gzip.unpacked(bytes.span, atMost: limit)
            return nil
        } catch { return error }
    }

    @Test("Content of any size comes out as it went in", arguments: [0, 1, 100, 65_535, 65_536, 65_537, 200_000])
    func content(_ size: Int) throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let packed = gzipped(content)
        #expect(try Gzip.unpacked(packed.span, atMost: size) == content)
        if size > 0 { #expect(Self.fault(packed, atMost: size - 1) == .tooLarge) }
    }

    @Test("Content that gzip has compressed")
    func compressed() throws {
        // `{}` and a line end.
        let packed: [UInt8] = [
            0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0xae, 0xe5, 0x02, 0x00, 0x06, 0xb0, 0xa1,
            0xdd, 0x03, 0x00, 0x00, 0x00,
        ]
        #expect(try Gzip.unpacked(packed.span, atMost: 3) == Array("{}\n".utf8))
        #expect(Self.fault(packed, atMost: 2) == .tooLarge)
        #expect(Gzip.isPacked(packed) && !Gzip.isPacked(Array("{}".utf8)))
        for count in packed.indices { #expect(Self.fault(Array(packed.prefix(count)), atMost: 99) == .broken) }
    }

    @Test("A bomb ends at the limit")
    func bomb() throws {
        #expect(try Gzip.unpacked(Self.bomb.span, atMost: 1001).count == 1001)
        for limit in [1000, 1, 0, -1] { #expect(Self.fault(Self.bomb, atMost: limit) == .tooLarge) }
    }

    @Test("Content that is cut off anywhere, or differs in a byte, is broken")
    func broken() {
        let packed = gzipped(Array("{\"a\":1}".utf8))
        for count in 0..<packed.count { #expect(Self.fault(Array(packed.prefix(count))) == .broken, "\(count)") }
        // The time, the flags of the compressor and the system in the head mean nothing.
        for place in packed.indices where !(4...9).contains(place) {
            var other = packed
            other[place] ^= 0x11
            #expect(Self.fault(other) != nil, "\(place)")
        }
        #expect(Self.fault(Array("{}".utf8)) == .broken)
    }

    @Test("A second member, or anything else behind the first, is trailing")
    func trailing() {
        let packed = gzipped(Array("{}".utf8))
        for more in [packed, [0], Array("{}".utf8)] { #expect(Self.fault(packed + more) == .trailing) }
    }
}
