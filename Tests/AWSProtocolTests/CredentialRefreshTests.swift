import Primitives
import TestSupport
import Testing

@testable import AWSProtocol

private let second: Int64 = 1_000_000_000
private let minute = 60 * second
private let hour = 60 * minute
/// 2023-11-14T22:13:20Z.
private let start = WallInstant(seconds: 1_700_000_000)

private func += (instant: inout WallInstant, span: Int64) { instant = instant + span }

private func credentials(_ name: String, until expiration: WallInstant?) -> AWSCredentials {
    AWSCredentials(accessKeyID: name, secretAccessKey: "s", sessionToken: "t", expiration: expiration)
}

/// The machine with a seeded generator and a clock that only the test sets.
private final class RefreshFixture {
    var refresh = CredentialRefresh()
    /// The wall clock. Set forward, the monotonic clock advances by the same span; set back, it stays.
    var now = start {
        didSet {
            uptime = uptime.addingReportingOverflow(max(0, now - oldValue)).partialValue
        }
    }
    var uptime: Int64 = 7
    var random = SeededGenerator(seed: 1)
    var moment: CredentialRefresh.Moment { CredentialRefresh.Moment(clock: now, uptime: uptime) }

    func request() -> CredentialRefresh.Action { refresh.request(now: moment) }
    func fetched(_ credentials: AWSCredentials) {
        refresh.fetched(credentials, now: moment, using: &random)
    }
    func renew(_ refused: AWSCredentials, after time: Int64 = 0) -> CredentialRefresh.Renewal {
        refresh.renew(refused, now: now + time)
    }
    func sourceChanged() -> Bool { refresh.sourceChanged() }
    var isFetching: Bool { refresh.isFetching }
    func failed(_ reason: String) { refresh.failed(reason, now: moment, using: &random) }

    /// Advances the clock by `step` until a request begins a fetch; `nil` if none does within `limit`.
    func timeToFetch(step: Int64, limit: Int64) -> Int64? {
        let begin = now
        while now - begin <= limit {
            switch request() {
            case .fetch, .useAndFetch, .refuseAndFetch: return now - begin
            case .use, .wait, .refuse: now += step
            }
        }
        return nil
    }
}

@Suite("Refreshing credentials")
struct CredentialRefreshTests {
    @Test("the first request begins a fetch, and those that follow wait for it")
    func first() {
        let fixture = RefreshFixture()
        #expect(fixture.request() == .fetch)
        #expect(fixture.request() == .wait)
        fixture.now += hour
        #expect(fixture.request() == .wait)
        let new = credentials("A", until: nil)
        fixture.fetched(new)
        #expect(fixture.request() == .use(new))
    }

    @Test("credentials without an end are never fetched again")
    func endless() {
        let fixture = RefreshFixture()
        _ = fixture.request()
        let new = credentials("A", until: nil)
        fixture.fetched(new)
        fixture.now = WallInstant(nanoseconds: .max - 1)
        #expect(fixture.request() == .use(new))
    }

    @Test("credentials of an hour are fetched anew between 15 and 10 minutes before their end, whatever the chance")
    func ahead() throws {
        var times: Set<Int64> = []
        for seed in 0..<200 {
            let fixture = RefreshFixture()
            fixture.random = SeededGenerator(seed: UInt64(seed))
            _ = fixture.request()
            fixture.fetched(credentials("A", until: start + hour))
            let time = try #require(fixture.timeToFetch(step: second, limit: hour))
            #expect((45 * minute...50 * minute + second).contains(time))
            times.insert(time)
        }
        #expect(times.count > 50)
    }

    @Test("short-lived credentials are fetched anew when two thirds to seven ninths of their life are over")
    func short() throws {
        for life in [3 * second, 30 * second, 15 * minute] {
            let fixture = RefreshFixture()
            _ = fixture.request()
            fixture.fetched(credentials("A", until: start + life))
            let time = try #require(fixture.timeToFetch(step: life / 1000, limit: life))
            #expect((life * 2 / 3...life * 7 / 9 + life / 1000).contains(time))
        }
    }

    @Test("while a refresh is under way the old credentials are used, up to a little before their end, by everybody")
    func old() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: start + hour)
        _ = fixture.request()
        fixture.fetched(old)
        fixture.now = start + 51 * minute
        #expect(fixture.request() == .useAndFetch(old))
        #expect(fixture.request() == .use(old))
        fixture.now = start + hour - 11 * second
        #expect(fixture.request() == .use(old))
        fixture.now = start + hour - 10 * second
        #expect(fixture.request() == .wait)
        let new = credentials("B", until: start + 2 * hour)
        fixture.fetched(new)
        #expect(fixture.request() == .use(new))
    }

    @Test("a failure is remembered for a quarter of a second at most, then twice as long each time, up to a minute")
    func failure() throws {
        let fixture = RefreshFixture()
        _ = fixture.request()
        for failures in 1...12 {
            fixture.failed("number \(failures)")
            #expect(fixture.request() == .refuse("number \(failures)"))
            let longest = min(250_000_000 << Int64(failures - 1), minute)
            let pause = try #require(fixture.timeToFetch(step: longest / 200, limit: 2 * longest))
            #expect((longest / 2...longest + longest / 200).contains(pause))
        }
    }

    @Test("once a fetch has failed, nobody waits for the next ones")
    func noWaiting() {
        let fixture = RefreshFixture()
        _ = fixture.request()
        fixture.failed("no")
        fixture.now += second
        #expect(fixture.request() == .refuseAndFetch("no"))
        fixture.now += hour
        #expect(fixture.request() == .refuse("no"))
        let new = credentials("A", until: nil)
        fixture.fetched(new)
        #expect(fixture.request() == .use(new))
    }

    @Test("a failing refresh leaves the old credentials in use and is tried again, until they end")
    func failingRefresh() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: start + hour)
        _ = fixture.request()
        fixture.fetched(old)
        fixture.now = start + 51 * minute
        var fetches = 0
        while fixture.now < start + hour - 10 * second {
            switch fixture.request() {
            case .useAndFetch(let used):
                #expect(used == old)
                fetches += 1
                fixture.failed("no")
            case .use(let used): #expect(used == old)
            case .fetch, .wait, .refuse, .refuseAndFetch: Issue.record("the old credentials still live")
            }
            fixture.now += second / 10
        }
        // 0.25 s, 0.5 s, … add up to a minute after eight failures; then there are one or two a minute.
        #expect((14...26).contains(fetches))
        fixture.now += minute
        #expect(fixture.request() == .refuseAndFetch("no"))
        #expect(fixture.request() == .refuse("no"))
        fixture.failed("still no")
        #expect(fixture.request() == .refuse("still no"))
    }

    @Test("a good fetch forgets the failures before it")
    func recovery() {
        let fixture = RefreshFixture()
        _ = fixture.request()
        for _ in 0..<5 {
            fixture.failed("no")
            fixture.now += minute
            #expect(fixture.request() == .refuseAndFetch("no"))
        }
        fixture.fetched(credentials("A", until: fixture.now + 3 * second))
        fixture.now += hour
        #expect(fixture.request() == .fetch)
        #expect(fixture.request() == .wait)
        fixture.failed("no")
        fixture.now += second / 4
        #expect(fixture.request() == .refuseAndFetch("no"))
    }

    @Test("credentials that come too late to be used are a failure", arguments: [0, -1, -hour])
    func expired(by offset: Int64) {
        let fixture = RefreshFixture()
        _ = fixture.request()
        fixture.fetched(credentials("A", until: start + offset))
        #expect(fixture.request() == .refuse("the credentials that came had expired"))
    }

    @Test("a source that keeps giving the same credentials is asked again after two thirds of what is left")
    func same() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: start + hour)
        _ = fixture.request()
        fixture.fetched(old)
        var fetches = 0
        while fixture.now < start + hour - second {
            switch fixture.request() {
            case .useAndFetch, .fetch:
                fetches += 1
                fixture.fetched(old)
            case .use, .wait, .refuse, .refuseAndFetch: break
            }
            fixture.now += second / 10
        }
        #expect((4...10).contains(fetches))
    }

    @Test("a clock that is set back costs a fetch and not the memory of a failure for hours")
    func clockSetBack() {
        let fixture = RefreshFixture()
        _ = fixture.request()
        fixture.failed("no")
        fixture.now += -hour
        #expect(fixture.request() == .refuseAndFetch("no"))
    }

    @Test(
        "what came while the clock was ahead is fetched anew in time when it has been set right",
        arguments: [hour, 24 * hour, 20 * 365 * 24 * hour])
    func clockWasAhead(by error: Int64) throws {
        let fixture = RefreshFixture()
        fixture.now = start + error
        _ = fixture.request()
        // The expiration is of the same clock.
        let old = credentials("A", until: fixture.now + hour)
        fixture.fetched(old)
        fixture.now = start
        #expect(fixture.request() == .use(old))
        let time = try #require(fixture.timeToFetch(step: second, limit: 2 * hour))
        #expect((45 * minute...50 * minute + second).contains(time))
        fixture.failed("no")
        fixture.now += 16 * minute
        #expect(fixture.request() == .refuseAndFetch("no"))
    }

    @Test("what came while the clock was behind is fetched anew when it is set right, and ends when the clock says so")
    func clockWasBehind() {
        let fixture = RefreshFixture()
        fixture.now = start - 24 * hour
        _ = fixture.request()
        let old = credentials("A", until: start + hour)
        fixture.fetched(old)
        fixture.now = start + 51 * minute
        #expect(fixture.request() == .useAndFetch(old))
        fixture.now = start + hour
        #expect(fixture.request() == .wait)
    }

    @Test("ends and clocks at the edges of their range stop nothing", arguments: [Int64.min, -1, 0, 1, .max - 1, .max])
    func extremes(now: Int64) {
        for end in [Int64.min, -1, 0, 1, 2, .max - 1, .max].map(WallInstant.init(nanoseconds:)) {
            let fixture = RefreshFixture()
            fixture.now = WallInstant(nanoseconds: now)
            _ = fixture.request()
            fixture.fetched(credentials("A", until: end))
            _ = fixture.request()
            fixture.failed("no")
            _ = fixture.request()
            fixture.now = end
            _ = fixture.request()
        }
    }

    @Test("any order of events leaves one fetch under way at most, and never gives what is over")
    func anyOrder() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let fixture = RefreshFixture()
            var isFetching = false
            for _ in 0..<200 {
                fixture.now += Int64.random(in: 0...20 * minute, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where isFetching:
                    let life = Int64.random(in: -minute...2 * hour, using: &random)
                    fixture.fetched(credentials("A", until: fixture.now + life))
                    isFetching = false
                case 1 where isFetching:
                    fixture.failed("no")
                    isFetching = false
                default:
                    switch fixture.request() {
                    case .use(let used): #expect(used.expiration ?? WallInstant(nanoseconds: .max) > fixture.now)
                    case .useAndFetch(let used):
                        #expect(used.expiration ?? WallInstant(nanoseconds: .max) > fixture.now)
                        #expect(!isFetching)
                        isFetching = true
                    case .fetch, .refuseAndFetch:
                        #expect(!isFetching)
                        isFetching = true
                    case .wait: #expect(isFetching)
                    case .refuse: break
                    }
                    #expect(fixture.isFetching == isFetching)
                }
            }
        }
    }

    @Test("credentials that a service does not accept are fetched anew, and requests wait for the new ones")
    func refused() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: nil)
        _ = fixture.request()
        fixture.fetched(old)
        #expect(fixture.renew(old) == .fetch)
        #expect(fixture.isFetching)
        #expect(fixture.renew(old) == .renewed)
        #expect(fixture.request() == .wait)
        let new = credentials("B", until: nil)
        fixture.fetched(new)
        #expect(fixture.request() == .use(new))
        // The old credentials were refused while the fetch was in progress.
        #expect(fixture.renew(old) == .renewed)
        #expect(fixture.request() == .use(new))
    }

    @Test("a service that accepts none causes a fetch every two seconds, whatever the clock does")
    func refusedAll() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: nil)
        _ = fixture.request()
        fixture.fetched(old)
        #expect(fixture.renew(old) == .fetch)
        fixture.fetched(old)
        #expect(fixture.renew(old, after: 2 * second - 1) == .declined)
        #expect(fixture.renew(old, after: 2 * second) == .fetch)
        fixture.fetched(old)
        #expect(fixture.renew(old, after: -hour) == .fetch)
    }

    @Test("if the fetch fails, the credentials that were refused are used: other services may accept them")
    func refusedAndFailed() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: start + hour)
        _ = fixture.request()
        fixture.fetched(old)
        #expect(fixture.renew(old) == .fetch)
        fixture.failed("no")
        #expect(fixture.request() == .use(old))
        #expect(fixture.renew(old) == .declined)
        fixture.now += second
        #expect(fixture.request() == .useAndFetch(old))
    }

    @Test("a fetch ahead of the end is waited for once what is held was refused")
    func refusedAtTheEnd() {
        let fixture = RefreshFixture()
        let old = credentials("A", until: start + hour)
        _ = fixture.request()
        fixture.fetched(old)
        fixture.now += 51 * minute
        #expect(fixture.request() == .useAndFetch(old))
        #expect(fixture.renew(credentials("Z", until: nil)) == .renewed)
        #expect(fixture.request() == .use(old))
        #expect(fixture.renew(old) == .renewed)
        #expect(fixture.request() == .wait)
    }

    @Test("a source that has changed is read anew, and what is held is used meanwhile")
    func changed() {
        let fixture = RefreshFixture()
        #expect(!fixture.sourceChanged())
        _ = fixture.request()
        #expect(!fixture.sourceChanged())
        let old = credentials("A", until: nil)
        fixture.fetched(old)
        #expect(fixture.sourceChanged())
        #expect(!fixture.sourceChanged())
        #expect(fixture.request() == .use(old))
        fixture.failed("half written")
        #expect(fixture.request() == .use(old))
        #expect(fixture.sourceChanged())
        let new = credentials("B", until: nil)
        fixture.fetched(new)
        #expect(fixture.request() == .use(new))
    }
}
