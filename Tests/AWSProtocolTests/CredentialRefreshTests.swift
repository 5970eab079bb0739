import TestSupport
import Testing

@testable import AWSProtocol

private let second: Int64 = 1_000_000_000
private let minute = 60 * second
private let hour = 60 * minute
/// Some day in 2023.
private let start = 1_700_000_000 * second

private func credentials(_ name: String, until expiration: Int64?) -> AWSCredentials {
    AWSCredentials(accessKeyID: name, secretAccessKey: "s", sessionToken: "t", expiration: expiration)
}

/// The machine with a seeded generator and a clock that only the test moves.
private final class Stand {
    var refresh = CredentialRefresh()
    /// Moved on, as much time has passed; set back, none has.
    var now = start {
        didSet {
            uptime =
                uptime.addingReportingOverflow(max(0, now.subtractingReportingOverflow(oldValue).partialValue))
                .partialValue
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

    /// Moves the clock on by `step` until a request begins a fetch; nothing if none does within `limit`.
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
        let stand = Stand()
        #expect(stand.request() == .fetch)
        #expect(stand.request() == .wait)
        stand.now += hour
        #expect(stand.request() == .wait)
        let new = credentials("A", until: nil)
        stand.fetched(new)
        #expect(stand.request() == .use(new))
    }

    @Test("credentials without an end are never fetched again")
    func endless() {
        let stand = Stand()
        _ = stand.request()
        let new = credentials("A", until: nil)
        stand.fetched(new)
        stand.now = .max - 1
        #expect(stand.request() == .use(new))
    }

    @Test("credentials of an hour are fetched anew between 15 and 10 minutes before their end, whatever the chance")
    func ahead() throws {
        var times: Set<Int64> = []
        for seed in 0..<200 {
            let stand = Stand()
            stand.random = SeededGenerator(seed: UInt64(seed))
            _ = stand.request()
            stand.fetched(credentials("A", until: start + hour))
            let time = try #require(stand.timeToFetch(step: second, limit: hour))
            #expect((45 * minute...50 * minute + second).contains(time))
            times.insert(time)
        }
        #expect(times.count > 50)
    }

    @Test("short-lived credentials are fetched anew when two thirds to seven ninths of their life are over")
    func short() throws {
        for life in [3 * second, 30 * second, 15 * minute] {
            let stand = Stand()
            _ = stand.request()
            stand.fetched(credentials("A", until: start + life))
            let time = try #require(stand.timeToFetch(step: life / 1000, limit: life))
            #expect((life * 2 / 3...life * 7 / 9 + life / 1000).contains(time))
        }
    }

    @Test("while a refresh is under way the old credentials are used, up to a little before their end, by everybody")
    func old() {
        let stand = Stand()
        let old = credentials("A", until: start + hour)
        _ = stand.request()
        stand.fetched(old)
        stand.now = start + 51 * minute
        #expect(stand.request() == .useAndFetch(old))
        #expect(stand.request() == .use(old))
        stand.now = start + hour - 11 * second
        #expect(stand.request() == .use(old))
        stand.now = start + hour - 10 * second
        #expect(stand.request() == .wait)
        let new = credentials("B", until: start + 2 * hour)
        stand.fetched(new)
        #expect(stand.request() == .use(new))
    }

    @Test("a failure is remembered for a quarter of a second at most, then twice as long each time, up to a minute")
    func failure() throws {
        let stand = Stand()
        _ = stand.request()
        for failures in 1...12 {
            stand.failed("number \(failures)")
            #expect(stand.request() == .refuse("number \(failures)"))
            let longest = min(250_000_000 << Int64(failures - 1), minute)
            let pause = try #require(stand.timeToFetch(step: longest / 200, limit: 2 * longest))
            #expect((longest / 2...longest + longest / 200).contains(pause))
        }
    }

    @Test("once a fetch has failed, nobody waits for the next ones")
    func noWaiting() {
        let stand = Stand()
        _ = stand.request()
        stand.failed("no")
        stand.now += second
        #expect(stand.request() == .refuseAndFetch("no"))
        stand.now += hour
        #expect(stand.request() == .refuse("no"))
        let new = credentials("A", until: nil)
        stand.fetched(new)
        #expect(stand.request() == .use(new))
    }

    @Test("a failing refresh leaves the old credentials in use and is tried again, until they end")
    func failingRefresh() {
        let stand = Stand()
        let old = credentials("A", until: start + hour)
        _ = stand.request()
        stand.fetched(old)
        stand.now = start + 51 * minute
        var fetches = 0
        while stand.now < start + hour - 10 * second {
            switch stand.request() {
            case .useAndFetch(let used):
                #expect(used == old)
                fetches += 1
                stand.failed("no")
            case .use(let used): #expect(used == old)
            case .fetch, .wait, .refuse, .refuseAndFetch: Issue.record("the old credentials still live")
            }
            stand.now += second / 10
        }
        // 0.25 s, 0.5 s, … add up to a minute after eight failures; then it is one or two a minute.
        #expect((14...26).contains(fetches))
        stand.now += minute
        #expect(stand.request() == .refuseAndFetch("no"))
        #expect(stand.request() == .refuse("no"))
        stand.failed("still no")
        #expect(stand.request() == .refuse("still no"))
    }

    @Test("a good fetch forgets the failures before it")
    func recovery() {
        let stand = Stand()
        _ = stand.request()
        for _ in 0..<5 {
            stand.failed("no")
            stand.now += minute
            #expect(stand.request() == .refuseAndFetch("no"))
        }
        stand.fetched(credentials("A", until: stand.now + 3 * second))
        stand.now += hour
        #expect(stand.request() == .fetch)
        #expect(stand.request() == .wait)
        stand.failed("no")
        stand.now += second / 4
        #expect(stand.request() == .refuseAndFetch("no"))
    }

    @Test("credentials that come too late to be used are a failure", arguments: [0, -1, -hour])
    func expired(by offset: Int64) {
        let stand = Stand()
        _ = stand.request()
        stand.fetched(credentials("A", until: start + offset))
        #expect(stand.request() == .refuse("the credentials that came had expired"))
    }

    @Test("a source that keeps giving the same credentials is asked again after two thirds of what is left")
    func same() {
        let stand = Stand()
        let old = credentials("A", until: start + hour)
        _ = stand.request()
        stand.fetched(old)
        var fetches = 0
        while stand.now < start + hour - second {
            switch stand.request() {
            case .useAndFetch, .fetch:
                fetches += 1
                stand.fetched(old)
            case .use, .wait, .refuse, .refuseAndFetch: break
            }
            stand.now += second / 10
        }
        #expect((4...10).contains(fetches))
    }

    @Test("a clock that is set back costs a fetch and not the memory of a failure for hours")
    func clockSetBack() {
        let stand = Stand()
        _ = stand.request()
        stand.failed("no")
        stand.now -= hour
        #expect(stand.request() == .refuseAndFetch("no"))
    }

    @Test(
        "what came while the clock was ahead is fetched anew in time when it has been set right",
        arguments: [hour, 24 * hour, 20 * 365 * 24 * hour])
    func clockWasAhead(by error: Int64) throws {
        let stand = Stand()
        stand.now = start + error
        _ = stand.request()
        // Its end was reckoned from the same clock.
        let old = credentials("A", until: stand.now + hour)
        stand.fetched(old)
        stand.now = start
        #expect(stand.request() == .use(old))
        let time = try #require(stand.timeToFetch(step: second, limit: 2 * hour))
        #expect((45 * minute...50 * minute + second).contains(time))
        stand.failed("no")
        stand.now += 16 * minute
        #expect(stand.request() == .refuseAndFetch("no"))
    }

    @Test("what came while the clock was behind is fetched anew when it is set right, and ends when the clock says so")
    func clockWasBehind() {
        let stand = Stand()
        stand.now = start - 24 * hour
        _ = stand.request()
        let old = credentials("A", until: start + hour)
        stand.fetched(old)
        stand.now = start + 51 * minute
        #expect(stand.request() == .useAndFetch(old))
        stand.now = start + hour
        #expect(stand.request() == .wait)
    }

    @Test("ends and clocks at the edges of their range stop nothing", arguments: [Int64.min, -1, 0, 1, .max - 1, .max])
    func extremes(now: Int64) {
        for end in [Int64.min, -1, 0, 1, 2, .max - 1, .max] {
            let stand = Stand()
            stand.now = now
            _ = stand.request()
            stand.fetched(credentials("A", until: end))
            _ = stand.request()
            stand.failed("no")
            _ = stand.request()
            stand.now = end
            _ = stand.request()
        }
    }

    @Test("any order of events leaves one fetch under way at most, and never gives what is over")
    func anyOrder() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let stand = Stand()
            var isFetching = false
            for _ in 0..<200 {
                stand.now += Int64.random(in: 0...20 * minute, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0 where isFetching:
                    let life = Int64.random(in: -minute...2 * hour, using: &random)
                    stand.fetched(credentials("A", until: stand.now + life))
                    isFetching = false
                case 1 where isFetching:
                    stand.failed("no")
                    isFetching = false
                default:
                    switch stand.request() {
                    case .use(let used): #expect(used.expiration ?? .max > stand.now)
                    case .useAndFetch(let used):
                        #expect(used.expiration ?? .max > stand.now)
                        #expect(!isFetching)
                        isFetching = true
                    case .fetch, .refuseAndFetch:
                        #expect(!isFetching)
                        isFetching = true
                    case .wait: #expect(isFetching)
                    case .refuse: break
                    }
                    #expect(stand.isFetching == isFetching)
                }
            }
        }
    }

    @Test("credentials that a service does not accept are fetched anew, and requests wait for the new ones")
    func refused() {
        let stand = Stand()
        let old = credentials("A", until: nil)
        _ = stand.request()
        stand.fetched(old)
        #expect(stand.renew(old) == .fetch)
        #expect(stand.isFetching)
        #expect(stand.renew(old) == .renewed)
        #expect(stand.request() == .wait)
        let new = credentials("B", until: nil)
        stand.fetched(new)
        #expect(stand.request() == .use(new))
        // Refused while the fetch was under way.
        #expect(stand.renew(old) == .renewed)
        #expect(stand.request() == .use(new))
    }

    @Test("a service that accepts none causes a fetch every two seconds, whatever the clock does")
    func refusedAll() {
        let stand = Stand()
        let old = credentials("A", until: nil)
        _ = stand.request()
        stand.fetched(old)
        #expect(stand.renew(old) == .fetch)
        stand.fetched(old)
        #expect(stand.renew(old, after: 2 * second - 1) == .declined)
        #expect(stand.renew(old, after: 2 * second) == .fetch)
        stand.fetched(old)
        #expect(stand.renew(old, after: -hour) == .fetch)
    }

    @Test("if the fetch fails, the credentials that were refused are used: other services may accept them")
    func refusedAndFailed() {
        let stand = Stand()
        let old = credentials("A", until: start + hour)
        _ = stand.request()
        stand.fetched(old)
        #expect(stand.renew(old) == .fetch)
        stand.failed("no")
        #expect(stand.request() == .use(old))
        #expect(stand.renew(old) == .declined)
        stand.now += second
        #expect(stand.request() == .useAndFetch(old))
    }

    @Test("a fetch ahead of the end is waited for once what is held was refused")
    func refusedAtTheEnd() {
        let stand = Stand()
        let old = credentials("A", until: start + hour)
        _ = stand.request()
        stand.fetched(old)
        stand.now += 51 * minute
        #expect(stand.request() == .useAndFetch(old))
        #expect(stand.renew(credentials("Z", until: nil)) == .renewed)
        #expect(stand.request() == .use(old))
        #expect(stand.renew(old) == .renewed)
        #expect(stand.request() == .wait)
    }

    @Test("a source that has changed is read anew, and what is held is used meanwhile")
    func changed() {
        let stand = Stand()
        #expect(!stand.sourceChanged())
        _ = stand.request()
        #expect(!stand.sourceChanged())
        let old = credentials("A", until: nil)
        stand.fetched(old)
        #expect(stand.sourceChanged())
        #expect(!stand.sourceChanged())
        #expect(stand.request() == .use(old))
        stand.failed("half written")
        #expect(stand.request() == .use(old))
        #expect(stand.sourceChanged())
        let new = credentials("B", until: nil)
        stand.fetched(new)
        #expect(stand.request() == .use(new))
    }
}
