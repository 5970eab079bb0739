import AWSProtocol
import TestSupport
import Testing

@testable import Sandbox

@Suite("Lists")
struct PagingTests {
    static let filters: [JobStatus?] = [nil] + JobStatus.allCases.map { $0 }
    static let lists: [(Operation, JobKind)] = [
        (.listFraudsterRegistrationJobs, .fraudsterRegistration), (.listSpeakerEnrollmentJobs, .speakerEnrollment),
    ]

    @Test(
        "give every job exactly once, newest first, whatever the filter and the page size", arguments: filters,
        [1, 7, 100])
    func completeness(status: JobStatus?, size: Int) throws {
        let caller = TestCaller(SandboxOptions(domains: 2, jobs: 120, rate: 1e7))
        for (operation, kind) in Self.lists {
            for domain in caller.service.account.domains {
                var ids: [String] = []
                var token: String?
                repeat {
                    let page = caller.list(operation, domain: domain.id.text, status: status, size: size, token: token)
                    #expect(page.status == 200)
                    #expect(page.jobs.count <= size)
                    if let status { #expect(page.jobs.allSatisfy { $0["JobStatus"]?.string == status.rawValue }) }
                    token = page.nextToken
                    if token != nil { #expect(page.jobs.count == size) }
                    ids += page.jobs.compactMap { $0["JobId"]?.string }
                } while token != nil && ids.count <= 120
                let expected = try #require(domain.jobs[kind]).jobs(in: status, now: 0)
                #expect(ids == expected.map(\.id.text))
                #expect(Set(ids).count == ids.count)
                #expect(expected.map(\.position) == expected.map(\.position).sorted())
            }
        }
    }

    @Test("of all statuses together are the list without a filter")
    func partition() throws {
        for (_, kind) in Self.lists {
            let jobs = try #require(TestCaller().service.account.domains[0].jobs[kind])
            let byStatus = JobStatus.allCases.flatMap { jobs.jobs(in: $0, now: 0) }
            #expect(jobs.jobs(in: nil, now: 0).count == 250)
            #expect(byStatus.map(\.position).sorted() == jobs.jobs(in: nil, now: 0).map(\.position))
        }
    }

    @Test("have jobs of one creation time, which the job's identifier then orders")
    func ties() throws {
        let list = try #require(TestCaller().service.account.domains[0].jobs[.fraudsterRegistration])
        let jobs = list.jobs(in: nil, now: 0)
        let ties = zip(jobs, jobs.dropFirst()).filter { $0.position.createdAt == $1.position.createdAt }
        #expect(!ties.isEmpty)
        #expect(ties.allSatisfy { $0.id.text < $1.id.text })
    }

    @Test("have pages of 100 jobs and of 10 domains unless asked otherwise")
    func defaults() {
        let caller = TestCaller(SandboxOptions(domains: 12, rate: 1e7))
        #expect(caller.list().jobs.count == 100)
        #expect(caller.list(.listDomains).domains.count == 10)
    }

    @Test("give every domain exactly once", arguments: [1, 7, 10])
    func domains(size: Int) {
        let caller = TestCaller(SandboxOptions(domains: 23, jobs: 1, rate: 1e7))
        var ids: [String] = []
        var token: String?
        repeat {
            let page = caller.list(.listDomains, size: size, token: token)
            ids += page.domains.compactMap { $0["DomainId"]?.string }
            token = page.nextToken
        } while token != nil && ids.count <= 23
        #expect(ids == caller.service.account.domains.map(\.id.text))
        #expect(Set(ids).count == 23)
    }

    @Test(
        "end without a token even where the last page is full", arguments: [(100, 100, 1), (101, 100, 2), (0, 100, 1)])
    func lastPage(jobs: Int, size: Int, pages: Int) {
        let caller = TestCaller(SandboxOptions(domains: 1, jobs: jobs, rate: 1e7))
        var count = 1
        var page = caller.list(size: size)
        while let token = page.nextToken, count < 10 {
            page = caller.list(size: size, token: token)
            count += 1
        }
        #expect(count == pages)
        #expect(!page.json.memberNames.contains("NextToken"))
    }

    @Test("of nothing are empty, and have no token")
    func nothing() {
        #expect(TestCaller(SandboxOptions(domains: 0, rate: 1e7)).list(.listDomains).text == #"{"DomainSummaries":[]}"#)
        #expect(TestCaller(SandboxOptions(jobs: 0, rate: 1e7)).list().text == #"{"JobSummaries":[]}"#)
    }

    @Test("of one seed have the same domains and, in part, the same jobs, however many there are")
    func counts() throws {
        let few = TestCaller(SandboxOptions(domains: 2, jobs: 10)).service.account
        let many = TestCaller(SandboxOptions(domains: 5, jobs: 40)).service.account
        #expect(Set(few.domains.map(\.id)).isSubset(of: Set(many.domains.map(\.id))))
        for domain in few.domains {
            let other = try #require(many.domain(domain.id.text))
            for (_, kind) in Self.lists {
                let ids = domain.jobs[kind]?.jobs(in: nil, now: 0).map(\.id) ?? []
                #expect(ids.allSatisfy { other.jobs[kind]?.job($0, now: 0) != nil })
            }
        }
    }

    @Test("share no identifier")
    func uniqueness() {
        let domains = TestCaller(SandboxOptions(domains: 30, jobs: 100)).service.account.domains
        let jobs = domains.flatMap { $0.jobs.values.flatMap { $0.jobs(in: nil, now: 0).map(\.id.text) } }
        #expect(Set(jobs + domains.map(\.id.text)).count == 30 * 201)
    }

    @Test("of one seed are the same at any time but for their tokens, of two seeds are not")
    func determinism() {
        var later = TestCaller()
        later.wallClock += 1_000_000
        let first = TestCaller().list()
        #expect(first.jobs == later.list().jobs)
        #expect(first.nextToken != later.list().nextToken)
        #expect(TestCaller().domain != TestCaller(SandboxOptions(seed: 2)).domain)
    }
}
