import AWSProtocol
import Primitives
import Synchronization
import TestSupport
import Testing

@testable import Credentials

extension CredentialAnswer {
    var credentials: AWSCredentials? { if case .ready(let credentials) = self { credentials } else { nil } }
    var reason: String? { if case .unavailable(let reason) = self { reason } else { nil } }
    var isPending: Bool { if case .pending = self { true } else { false } }
}

/// A source with a behaviour that the test sets. Counts its fetches.
private final class ScriptedSource: CredentialSource {
    let name = "a script"

    private let body: @Sendable (Int) throws(CredentialFault) -> AWSCredentials
    private let begun = Atomic(0)
    private let running = Atomic(0)
    private let most = Atomic(0)

    init(_ body: @escaping @Sendable (Int) throws(CredentialFault) -> AWSCredentials) { self.body = body }

    var count: Int { begun.load(ordering: .sequentiallyConsistent) }
    var mostAtOnce: Int { most.load(ordering: .sequentiallyConsistent) }

    func fetch() throws(CredentialFault) -> AWSCredentials {
        let number = begun.add(1, ordering: .sequentiallyConsistent).newValue
        most.max(running.add(1, ordering: .sequentiallyConsistent).newValue, ordering: .sequentiallyConsistent)
        defer { running.subtract(1, ordering: .sequentiallyConsistent) }
        return try body(number)
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isUp: Bool { value.load(ordering: .sequentiallyConsistent) }
    func raise() { value.store(true, ordering: .sequentiallyConsistent) }
}

@Suite("A store of credentials", .timeLimit(.minutes(1)))
struct CredentialStoreTests {
    private let clock = TestClock()

    private func store(_ source: any CredentialSource) -> CredentialStore {
        let clock = clock
        return CredentialStore(source, clock: clock)
    }

    @Test("answers at once while the first fetch is under way, and announces its end")
    func first() {
        let gate = Flag()
        let found = FakeService.credentials("A", nil)
        let source = ScriptedSource { _ in
            _ = eventually { gate.isUp }
            return found
        }
        let store = store(source)
        let changed = Flag()
        store.onChange { changed.raise() }
        for _ in 0..<100 { #expect(store.credentials(now: clock.now).isPending) }
        #expect(!changed.isUp)
        gate.raise()
        #expect(eventually { changed.isUp })
        #expect(store.credentials(now: clock.now).credentials == found)
        #expect(source.count == 1)
    }

    @Test("reports once that fetches fail, when the reason changes, and once that they work again; each is counted")
    func reports() {
        let source = ScriptedSource { number throws(CredentialFault) in
            switch number {
            case 1, 2: throw .failed("the network")
            case 3: throw .failed("a refusal")
            case 5: throw .failed("the network")
            default: return FakeService.credentials("\(number)", nil)
            }
        }
        let store = store(source)
        let reports = Mutex<[CredentialChange]>([])
        store.onReport { change in reports.withLock { $0.append(change) } }
        for _ in 1...6 { store.fetch() }
        #expect(
            reports.withLock { $0 } == [
                .failing(reason: "the network", credentialsEnd: nil),
                .failing(reason: "a refusal", credentialsEnd: nil),
                .recovered(failures: 3, since: clock.now), .failing(reason: "the network", credentialsEnd: nil),
                .recovered(failures: 1, since: clock.now),
            ])
        #expect(store.fetches == FetchCounts(ok: 2, failed: 4))
    }

    @Test("remembers a failure, tells it, and tries again after a pause")
    func failure() {
        let found = FakeService.credentials("A", nil)
        let source = ScriptedSource { number throws(CredentialFault) in
            if number < 3 { throw .failed("number \(number)") }
            return found
        }
        let store = store(source)
        #expect(store.credentials(now: clock.now).isPending)
        for number in 1...2 {
            #expect(eventually { store.credentials(now: clock.now).reason == "number \(number)" })
            for _ in 0..<1000 { #expect(store.credentials(now: clock.now).reason == "number \(number)") }
            #expect(source.count == number)
            clock.advance(second)
            // Requests do not wait for the next fetch.
            #expect(store.credentials(now: clock.now).reason == "number \(number)")
        }
        #expect(eventually { store.credentials(now: clock.now).credentials == found })
    }

    @Test("fetches on the caller's time if that is asked for")
    func waiting() {
        let found = FakeService.credentials("A", nil)
        let good = store(ScriptedSource { _ in found })
        #expect(good.credentialsAfterFetch(now: clock.now).credentials == found)
        #expect(good.credentialsAfterFetch(now: clock.now).credentials == found)
        let bad = store(ScriptedSource { _ throws(CredentialFault) in throw .failed("no") })
        #expect(bad.credentialsAfterFetch(now: clock.now).reason == "no")
        #expect(bad.credentials(now: clock.now).reason == "no")
    }

    @Test("over the SDKs' chain finds what is there")
    func chain() throws {
        let machine = try Machine()
        let variables = ["AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"]
        let store = CredentialStore(region: "eu-west-1", environment: machine.environment(variables))
        #expect(store.credentialsAfterFetch(now: clock.now).credentials?.accessKeyID == "A")
        #expect(store.credentials(now: WallInstant(nanoseconds: .max - 1)).credentials?.accessKeyID == "A")
    }

    @Test("fetches anew what a service did not accept, and keeps those who ask waiting until then")
    func refused() {
        let gate = Flag()
        let (first, second) = (FakeService.credentials("A", nil), FakeService.credentials("B", nil))
        let source = ScriptedSource { number in
            if number == 2 { _ = eventually { gate.isUp } }
            return number == 1 ? first : second
        }
        let store = store(source)
        _ = store.credentialsAfterFetch(now: clock.now)
        #expect(store.renew(first, now: clock.now))
        #expect(store.credentials(now: clock.now).isPending)
        #expect(store.renew(first, now: clock.now))
        gate.raise()
        #expect(eventually { store.credentials(now: clock.now).credentials == second })
        #expect(store.renew(first, now: clock.now))
        #expect(source.count == 2)
        #expect(!FixedCredentials(first).renew(first, now: clock.now))
    }

    @Test("reads the shared files anew when they have changed, and uses what it has until they can be read")
    func changedFiles() throws {
        let machine = try Machine()
        machine.write(".aws/credentials", "[default]\naws_access_key_id = A\naws_secret_access_key = s\n")
        let store = CredentialStore(region: "eu-west-1", environment: machine.environment())
        #expect(store.credentialsAfterFetch(now: machine.clock.now).credentials?.accessKeyID == "A")
        let ask = { () -> String? in
            machine.clock.advance(second)
            return store.credentials(now: machine.clock.now).credentials?.accessKeyID
        }
        machine.write(".aws/credentials", "[default]\nhalf")
        for _ in 0..<100 { #expect(ask() == "A") }
        machine.write(".aws/credentials", "[default]\naws_access_key_id = B\naws_secret_access_key = s\n")
        #expect(eventually { ask() == "B" })
    }

    @Test("fetches again in time although its clock was a year ahead at the start, and is set right")
    func clockAhead() {
        let year = 365 * 24 * hour
        let (clock, uptime) = (TestClock(), TestClock(1))
        clock.advance(year)
        let source = ScriptedSource { number in FakeService.credentials("A\(number)", clock.now + hour) }
        let store = CredentialStore(source, clock: { clock.now }, uptime: { uptime.uptime })
        #expect(store.credentialsAfterFetch(now: clock.now).credentials?.accessKeyID == "A1")
        clock.advance(-year)
        uptime.advance(30 * minute)
        #expect(store.credentialsAfterFetch(now: clock.now).credentials?.accessKeyID == "A1")
        uptime.advance(25 * minute)
        #expect(store.credentialsAfterFetch(now: clock.now).credentials?.accessKeyID == "A2")
    }

    @Test("many threads at once have one fetch under way at most, and always live credentials")
    func threads() {
        let clock = clock
        let source = ScriptedSource { number in FakeService.credentials("A\(number)", clock.now + hour) }
        let store = store(source)
        _ = store.credentialsAfterFetch(now: clock.now)
        let calls = Atomic(0)
        let failed = Atomic(0)
        onThreads(4) { number in
            for _ in 0..<5_000 {
                if number == 0 {
                    clock.advance(second)
                    // The clock advances by hours in milliseconds. A fetch must not seem to take a quarter of an hour.
                    _ = eventually { source.mostAtOnce <= 1 && !store.isFetching }
                }
                let now = clock.now
                calls.add(1, ordering: .relaxed)
                let answer = store.credentials(now: now).credentials
                if answer?.expiration ?? WallInstant(seconds: 0) <= now { failed.add(1, ordering: .relaxed) }
            }
        }
        #expect(calls.load(ordering: .relaxed) == 20_000)
        #expect(failed.load(ordering: .relaxed) == 0)
        #expect(source.mostAtOnce == 1)
        // 5,000 s, with a refresh every 45 to 50 minutes.
        #expect((2...3).contains(source.count))
    }
}
