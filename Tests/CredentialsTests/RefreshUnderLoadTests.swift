import AWSProtocol
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Credentials

@Suite("Every kind of source, while calls go on", .timeLimit(.minutes(2)))
struct RefreshUnderLoadTests {
    @Test(
        "no call of six hours is without live credentials of an hour, and each is fetched once",
        arguments: SourceKind.all)
    func expiry(kind: SourceKind) throws {
        let source = try SourceUnderTest(kind)
        defer { source.stop() }
        #expect(source.store.credentialsAfterFetch(now: source.now).credentials?.accessKeyID == "ASIA1")
        let isOver = Atomic(false)
        let calls = Atomic(0)
        let failed = Atomic(0)
        onThreads(4) { number in
            if number == 0 {
                for _ in 0..<360 {
                    source.advance(minute)
                    _ = source.store.credentials(now: source.now)
                    // A fetch takes milliseconds, in which the test's clock must not advance by hours.
                    _ = eventually { !source.store.isFetching }
                }
                isOver.store(true, ordering: .sequentiallyConsistent)
            }
            while !isOver.load(ordering: .sequentiallyConsistent) {
                let now = source.now
                let answer = source.store.credentials(now: now).credentials
                calls.add(1, ordering: .relaxed)
                if answer?.expiration ?? WallInstant(seconds: 0) <= now { failed.add(1, ordering: .relaxed) }
            }
        }
        #expect(failed.load(ordering: .relaxed) == 0)
        #expect(calls.load(ordering: .relaxed) > 1000)
        // A refresh comes every 45 to 51 minutes.
        #expect((8...9).contains(source.asked))
    }

    @Test(
        "while a source hangs, nobody waits for it, and the old credentials are used to their end",
        arguments: SourceKind.all)
    func hanging(kind: SourceKind) throws {
        let source = try SourceUnderTest(kind, patience: 3 * second / 10)
        defer { source.stop() }
        let store = source.store
        let old = try #require(source.obtain())
        source.behave(.hanging)
        source.advance(51 * minute)
        let before = source.asked
        #expect(store.credentials(now: source.now).credentials == old)
        #expect(store.isFetching)
        for _ in 0..<1000 { #expect(store.credentials(now: source.now).credentials == old) }
        #expect(source.asked <= before + 1)
        // The time of a fetch is bounded.
        #expect(eventually { !store.isFetching })
        #expect(store.credentials(now: source.now).credentials == old)

        // The old credentials expire while the source still hangs.
        source.advance(9 * minute - 5 * second)
        let reason = store.credentials(now: source.now).reason
        #expect(reason?.contains("Timeout was reached") == true || reason?.contains("did not finish in time") == true)

        #expect(store.isFetching)
        #expect(eventually { !store.isFetching })

        source.behave(.good)
        source.advance(minute)
        let new = try #require(source.obtain())
        #expect(new.accessKeyID != old.accessKeyID)
    }

    @Test(
        "a source that fails, or talks nonsense, is left alone for a while, and then asked again",
        arguments: SourceKind.all)
    func failing(kind: SourceKind) throws {
        for conduct in [Conduct.failing, .garbage] {
            let source = try SourceUnderTest(kind)
            defer { source.stop() }
            let store = source.store
            let old = try #require(store.credentialsAfterFetch(now: source.now).credentials)
            source.behave(conduct)
            source.advance(51 * minute)
            for _ in 0..<3 {
                let before = source.asked
                #expect(store.credentials(now: source.now).credentials == old)
                #expect(eventually { !store.isFetching })
                let after = source.asked
                #expect((1...3).contains(after - before))
                for _ in 0..<1000 { #expect(store.credentials(now: source.now).credentials == old) }
                #expect(source.asked == after)
                source.advance(second)
            }
            source.advance(9 * minute)
            #expect(store.credentials(now: source.now).reason?.contains("canary") == false)
            #expect(eventually { !store.isFetching })

            source.behave(.good)
            source.advance(minute)
            #expect(store.credentials(now: source.now).credentials == nil)
            #expect(eventually { store.credentials(now: source.now).credentials != nil })
        }
    }
}
