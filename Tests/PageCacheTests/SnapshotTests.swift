import Primitives
import TestSupport
import Testing

@testable import PageCache

@Suite("Snapshots")
struct SnapshotTests {
    private static let second: Int64 = 1_000_000_000
    private static let origin = Array("voice-id https://example".utf8)
    private static let scope = EpochScope(service: "s", domain: [1])
    private static let windows = Page.Lifetime(
        fresh: 3600 * Self.second, staleWhileRevalidate: 30 * second, staleIfError: 600 * second)
    /// The monotonic and the wall clock of the writing process, and of the reading one a minute later.
    private static let written: (now: MonotonicInstant, wall: WallInstant) = (
        .at(1000 * second), WallInstant(seconds: 1_700_000_000)
    )
    private static let read: (now: MonotonicInstant, wall: WallInstant) = (
        .at(5 * second), WallInstant(seconds: 1_700_000_060)
    )

    private static func cache() -> PageCache { PageCache(maxBytes: 1 << 24, maxWaiters: 10) }

    private static func page(
        _ number: Int, fetchedAt: MonotonicInstant = written.now - 20 * second, status: Int = 200,
        windows: Page.Lifetime = windows
    ) -> Page {
        Page(
            key: PageKey(Array("key\(number)".utf8)), status: status,
            body: Array(repeating: UInt8(truncatingIfNeeded: number), count: number % 300), fetchedAt: fetchedAt,
            lifetime: Page.Lifetime(
                fresh: 10 * second, staleWhileRevalidate: windows.staleWhileRevalidate,
                staleIfError: windows.staleIfError)
        )
    }

    private static func keep(_ page: Page, in cache: PageCache, now: MonotonicInstant = written.now) {
        let waiter = Waiter(loop: 0, slot: 0, generation: 0)
        _ = cache.complete(cache.lead(page.key, scope: scope, waiter: waiter), .keep(page), now: now)
    }

    private static let epochs = EpochScope.all.map { UInt64($0.index) << 32 + 7 }
    /// The offsets of the epochs and of the pages in a file.
    private static let epochsPlace = 8 + 4 + origin.count
    private static let pagesPlace = epochsPlace + 8 * EpochScope.count

    private static func bytes(of cache: PageCache, except scopes: Set<EpochScope> = []) -> [UInt8] {
        var writer = SnapshotWriter(origin: origin, epochs: epochs)
        var bytes: [UInt8] = []
        cache.save(now: written.now, wallClock: written.wall, except: scopes) { page in
            writer.append(page)
            if writer.pending > 1000 { bytes += writer.take() }
        }
        return bytes + writer.finish()
    }

    private static func reader(
        of bytes: [UInt8], origin: [UInt8] = origin, seen: @escaping (Int) -> Void = { _ in }
    ) throws(SnapshotFault) -> SnapshotReader {
        try SnapshotReader(size: bytes.count, origin: origin) { offset, count in
            seen(count)
            return Array(bytes.dropFirst(offset).prefix(count))
        }
    }

    private static func pages(of bytes: [UInt8], origin: [UInt8] = origin) throws(SnapshotFault) -> [SavedPage] {
        var reader = try reader(of: bytes, origin: origin)
        var pages: [SavedPage] = []
        while let page = try reader.next() { pages.append(page) }
        return pages
    }

    private static func restore(
        _ pages: [SavedPage], into cache: PageCache, longest: Page.Lifetime = windows, wall: WallInstant = read.wall
    ) -> Int {
        pages.count { cache.restore($0, scope: scope, longest: longest, now: read.now, wallClock: wall) }
    }

    @Test("give the pages back, byte for byte, as old as they are and stale")
    func roundTrip() throws {
        let old = Self.cache()
        for number in 0..<3000 { Self.keep(Self.page(number, fetchedAt: Self.written.now - 1 * Self.second), in: old) }
        let cache = Self.cache()
        #expect(Self.restore(try Self.pages(of: Self.bytes(of: old)), into: cache) == 3000)
        #expect(cache.figures.pages == 3000)
        for number in 0..<3000 {
            let saved = Self.page(number)
            let page = try #require(cache.usablePage(saved.key, now: Self.read.now))
            #expect(page.body == saved.body)
            // A second old when it was written, and a minute has passed.
            #expect(page.fetchedAt == Self.read.now - 61 * Self.second)
            #expect(page.freshUntil <= Self.read.now)
            #expect(page.revalidateUntil == page.fetchedAt + 40 * Self.second)
            #expect(page.usableUntil == page.fetchedAt + 610 * Self.second)
        }
    }

    @Test("bring back no page whose time is over, none that is fresh, and no error")
    func lifetimes() throws {
        let old = Self.cache()
        let short = Page.Lifetime(fresh: 3600 * Self.second, staleWhileRevalidate: 5 * Self.second, staleIfError: 0)
        Self.keep(Self.page(1), in: old)
        Self.keep(Self.page(2, fetchedAt: Self.written.now, windows: short), in: old)
        Self.keep(Self.page(3, status: 400), in: old)
        Self.keep(Self.page(4, fetchedAt: Self.written.now - 700 * Self.second), in: old)
        let pages = try Self.pages(of: Self.bytes(of: old))
        #expect(pages.map(\.key).map { String(decoding: $0, as: UTF8.self) }.sorted() == ["key1", "key2"])
        #expect(Self.restore(pages, into: Self.cache()) == 1)
        // Shorter configured spans apply to old pages too.
        let none = Page.Lifetime(fresh: 0)
        #expect(Self.restore(pages, into: Self.cache(), longest: none) == 0)
        // A restored page is stale, even at once or with a clock that was set back.
        for wall in [Self.written.wall, Self.written.wall - 86_400 * Self.second, WallInstant(nanoseconds: .min)] {
            let cache = Self.cache()
            let count = Self.restore(pages, into: cache, wall: wall)
            #expect(count == (wall.nanoseconds == .min ? 0 : 2))
            if let page = cache.usablePage(Self.page(1).key, now: Self.read.now) {
                #expect(page.freshUntil <= Self.read.now)
                #expect(page.fetchedAt <= Self.read.now)
            }
        }
    }

    @Test("replace nothing that this process knows better")
    func precedence() throws {
        let old = Self.cache()
        Self.keep(Self.page(1), in: old)
        let pages = try Self.pages(of: Self.bytes(of: old))
        let invalidated = Self.cache()
        invalidated.invalidate(Self.scope)
        #expect(Self.restore(pages, into: invalidated) == 0)
        let fetched = Self.cache()
        let newer = Page(
            key: Self.page(1).key, status: 200, body: [7], fetchedAt: Self.read.now, lifetime: Self.windows)
        Self.keep(newer, in: fetched, now: Self.read.now)
        #expect(Self.restore(pages, into: fetched) == 0)
        #expect(fetched.usablePage(newer.key, now: Self.read.now)?.body == [7])
        let restored = Self.cache()
        #expect(Self.restore(pages, into: restored) == 1)
        restored.invalidate(Self.scope)
        #expect(restored.usablePage(newer.key, now: Self.read.now) == nil)
    }

    @Test("leave out pages that a write has made void")
    func void() throws {
        let old = Self.cache()
        Self.keep(Self.page(1), in: old)
        old.invalidate(Self.scope)
        #expect(try Self.pages(of: Self.bytes(of: old)).isEmpty)
    }

    @Test("leave out pages of scopes that are to be left out, and hold the epochs of all")
    func scopes() throws {
        let old = Self.cache()
        Self.keep(Self.page(1), in: old)
        let other = EpochScope(service: "s", domain: [2])
        #expect(other != Self.scope)
        #expect(try Self.pages(of: Self.bytes(of: old, except: [other])).count == 1)
        #expect(try Self.pages(of: Self.bytes(of: old, except: [Self.scope])).isEmpty)
        #expect(try Self.reader(of: Self.bytes(of: old)).epochs == Self.epochs)
    }

    @Test("name a scope alike in every process")
    func stability() {
        #expect(EpochScope(service: "voice-id", domain: Array("AAAAAAAAAAAAAAAAAAAAAA".utf8)).index == 2)
        #expect(EpochScope(service: "voice-id", domain: []).index == 450)
        #expect(EpochScope(allOf: "voice-id").index == 1026)
        #expect(EpochScope.all.map(\.index) == Array(0..<1088))
    }

    @Test("are read a piece at a time, however large they are")
    func pieces() throws {
        let old = Self.cache()
        for number in 0..<20_000 { Self.keep(Self.page(number), in: old) }
        let bytes = Self.bytes(of: old)
        #expect(bytes.count > 3_000_000)
        var largest = 0
        var reader = try Self.reader(of: bytes) { largest = max(largest, $0) }
        var pages = 0
        while try reader.next() != nil { pages += 1 }
        #expect(pages == 20_000)
        #expect(largest <= 65_536)
    }

    @Test("that are damaged or cut short anywhere are refused whole")
    func damage() throws {
        let old = Self.cache()
        for number in 0..<5 { Self.keep(Self.page(number), in: old) }
        let good = Self.bytes(of: old)
        #expect(try Self.pages(of: good).count == 5)
        // The first and the last of the epochs, which are read alike.
        let epochs = Self.epochsPlace + 8..<Self.pagesPlace - 8
        for place in good.indices where !epochs.contains(place) {
            for bit in 0..<8 {
                var bad = good
                bad[place] ^= 1 << bit
                #expect(throws: SnapshotFault.self) { try Self.pages(of: bad) }
            }
            #expect(throws: SnapshotFault.self) { try Self.pages(of: Array(good[..<place])) }
        }
        #expect(throws: SnapshotFault.damaged) { try Self.pages(of: good + [0]) }
    }

    @Test("of other programs, versions and services are refused by name")
    func foreign() throws {
        let good = Self.bytes(of: Self.cache())
        #expect(throws: SnapshotFault.foreign) { try Self.pages(of: []) }
        #expect(throws: SnapshotFault.foreign) { try Self.pages(of: Array("%PDF-1.4 and more of it".utf8)) }
        #expect(throws: SnapshotFault.otherOrigin) { try Self.pages(of: good, origin: [1]) }
        var other = good
        other[7] = 9
        #expect(throws: SnapshotFault.otherVersion) { try Self.pages(of: other) }
    }

    @Test("with a right checksum and wrong contents are refused without a trap")
    func malice() {
        var random = SeededGenerator(seed: 5)
        let old = Self.cache()
        for number in 0..<3 { Self.keep(Self.page(number), in: old) }
        let good = Array(Self.bytes(of: old).dropLast(8))
        for _ in 0..<5000 {
            var bad = good
            for _ in 0..<3 {
                let isHead = Bool.random(using: &random)
                let place = Int.random(
                    in: isHead ? 8..<Self.epochsPlace : Self.pagesPlace..<bad.count, using: &random)
                bad[place] = UInt8.random(in: 0...255, using: &random)
            }
            bad.removeLast(Int.random(in: 0..<3, using: &random))
            var checksum = Checksum()
            checksum.add(bad.span, to: bad.count)
            for shift in stride(from: 56, through: 0, by: -8) {
                bad.append(UInt8(truncatingIfNeeded: checksum.value >> shift))
            }
            guard let pages = try? Self.pages(of: bad) else { continue }
            _ = Self.restore(pages, into: Self.cache())
        }
    }
}
