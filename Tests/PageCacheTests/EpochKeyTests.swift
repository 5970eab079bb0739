import Testing

@testable import PageCache

@Suite("Keys of epochs")
struct EpochKeyTests {
    private static let key = EpochKey(Array(0..<16))

    @Test(
        "hash as the paper's examples do (appendix A, and the vectors of its reference program)",
        arguments: [(0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (15, 0xa129_ca61_49be_45e5)]
            as [(UInt8, UInt64)])
    func examples(count: UInt8, hash: UInt64) {
        #expect(Self.key.hash(Array(0..<count)) == hash)
    }

    @Test("hash a service's name and a domain's id apart")
    func separation() {
        #expect(Self.key.hash("ab", [0x63]) != Self.key.hash("a", [0x62, 0x63]))
        #expect(Self.key.hash("a", [0x62]) == Self.key.hash([0x61, 0xff, 0x62]))
    }

    @Test("names that share a counter under one key do not under another")
    func collisions() {
        func scope(_ number: Int, _ key: EpochKey) -> EpochScope {
            EpochScope(service: "s", domain: Array("domain\(number)".utf8), key: key)
        }
        let found = (1..<100_000).filter { scope($0, .known) == scope(0, .known) }
        #expect(found.count > 50)
        #expect(found.count { scope($0, Self.key) == scope(0, Self.key) } < found.count / 10)
    }

    @Test("a service's scope depends on the key, and so does the key's fingerprint")
    func services() {
        let names = (0..<50).map { "service\($0)" }
        #expect(names.contains { EpochScope(allOf: $0).index != EpochScope(allOf: $0, key: Self.key).index })
        #expect(EpochKey.known.fingerprint != Self.key.fingerprint)
        #expect(EpochKey(Array(0..<16)) == Self.key && EpochKey(Array(0..<20)) == Self.key)
    }
}
