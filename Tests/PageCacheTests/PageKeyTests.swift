import PageCache
import Testing

@Suite("A page's key")
struct PageKeyTests {
    @Test("equals another if all their bytes are equal")
    func equal() {
        for count in [0, 1, 7, 8, 9, 120, 9000] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            #expect(PageKey(bytes) == PageKey(bytes))
            #expect(PageKey(bytes).hash == PageKey(bytes).hash)
            #expect(PageKey(bytes).bytes == bytes)
        }
    }

    @Test("differs from every other by one byte, wherever it is")
    func unequal() {
        let bytes = Array("voice-id\0ListFraudsterRegistrationJobs\0{\"DomainId\":\"AbCdEfGhIjKlMnOpQrStUv\"}".utf8)
        let key = PageKey(bytes)
        for index in bytes.indices {
            for bit in 0..<8 {
                var other = bytes
                other[index] ^= 1 << UInt8(bit)
                #expect(PageKey(other) != key)
            }
        }
        #expect(PageKey(Array(bytes.dropLast())) != key)
        #expect(PageKey(bytes + [0]) != key)
        #expect(PageKey([]) != PageKey([0]))
    }

    @Test("is told apart by its bytes even if the hashes are the same")
    func collision() {
        let keys = (0..<100).map { PageKey(PageKey.bytes(of: $0), hash: 42) }
        #expect(keys.allSatisfy { $0.hash == 42 })
        #expect(Set(keys).count == 100)
        for (index, key) in keys.enumerated() { #expect(keys.firstIndex(of: key) == index) }

        let fixture = CacheFixture(shards: 4)
        for (index, key) in keys.enumerated() { fixture.load(Page(key, body: [UInt8(index)])) }
        for (index, key) in keys.enumerated() { #expect(fixture.find(key).page?.body == [UInt8(index)]) }
    }

    @Test("is hashed anew in every process, so that nobody can choose keys that collide")
    func seeded() {
        // Clients could compute a hash without a random seed.
        let hashes = Set((0..<1000).map { PageKey(PageKey.bytes(of: $0)).hash })
        #expect(hashes.count == 1000)
        #expect(!hashes.contains(0))
    }
}
