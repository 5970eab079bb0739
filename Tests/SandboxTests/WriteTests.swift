import AWSProtocol
import Testing

@testable import Sandbox

@Suite("Writes")
struct WriteTests {
    static let starts: [(Operation, Operation, Operation)] = [
        (.startFraudsterRegistrationJob, .listFraudsterRegistrationJobs, .describeFraudsterRegistrationJob),
        (.startSpeakerEnrollmentJob, .listSpeakerEnrollmentJobs, .describeSpeakerEnrollmentJob),
    ]

    private func start(_ domain: String, token: String? = nil, name: String = "one", more: String = "") -> String {
        let token = token.map { #""ClientToken":"\#($0)","# } ?? ""
        return #"{\#(token)"DomainId":"\#(domain)","JobName":"\#(name)","#
            + #""DataAccessRoleArn":"arn:aws:iam::111122223333:role/batch","#
            + #""InputDataConfig":{"S3Uri":"s3://bucket/in"},"OutputDataConfig":{"S3Uri":"s3://bucket/out"}\#(more)}"#
    }

    @Test("a started job is the first of its list, and in no other", arguments: starts)
    func list(start: Operation, list: Operation, describe: Operation) throws {
        let caller = TestCaller()
        let before = caller.list(list)
        let job = try #require(caller.call(start.rawValue, self.start(caller.domain)).json["Job"])
        #expect(job["JobStatus"]?.string == "SUBMITTED")
        #expect(job["JobName"]?.string == "one")
        #expect(job["InputDataConfig"]?["S3Uri"]?.string == "s3://bucket/in")
        #expect(job["DataAccessRoleArn"]?.string == "arn:aws:iam::111122223333:role/batch")
        let after = caller.list(list)
        #expect(after.jobs.first?["JobId"] == job["JobId"])
        #expect(Array(after.jobs.dropFirst()) == Array(before.jobs.prefix(after.jobs.count - 1)))
        #expect(caller.list(list, status: .submitted).jobs.first?["JobId"] == job["JobId"])
        #expect(caller.list(list, status: .completed).jobs.first?["JobId"] != job["JobId"])
        let other = caller.service.account.domains[1].id.text
        #expect(!caller.list(list, domain: other).jobs.contains { $0["JobId"] == job["JobId"] })
        let body = #"{"DomainId":"\#(caller.domain)","JobId":"\#(job["JobId"]?.string ?? "")"}"#
        #expect(caller.call(describe.rawValue, body).json["Job"] == job)
    }

    @Test("a job waits for a fifth of its time, then runs, then ends for ever")
    func progress() throws {
        var caller = TestCaller(SandboxOptions(rate: 1e7, jobDuration: 10_000_000_000))
        var outcomes: Set<String> = []
        for index in 0..<40 {
            let reply = caller.call("StartFraudsterRegistrationJob", start(caller.domain, name: "job\(index)"))
            let id = try #require(reply.json["Job"]?["JobId"])
            let started = caller.now
            var seen: [String] = []
            for second in 0...11 {
                caller.now = started + Int64(second) * 1_000_000_000
                let job = try #require(caller.list(size: 1).jobs.first)
                #expect(job["JobId"] == id)
                let status = try #require(job["JobStatus"]?.string)
                #expect((job["EndedAt"] != nil) == (second >= 10))
                if seen.last != status { seen.append(status) }
            }
            #expect(seen.prefix(2) == ["SUBMITTED", "IN_PROGRESS"])
            #expect(seen.count == 3)
            outcomes.insert(try #require(seen.last))
        }
        #expect(outcomes == ["COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"])
    }

    @Test("the same token starts one job, whatever became of it; with other arguments it is refused")
    func token() throws {
        var caller = TestCaller()
        let request = start(caller.domain, token: "t-1")
        let first = caller.call("StartFraudsterRegistrationJob", request)
        #expect(caller.call("StartFraudsterRegistrationJob", request).json == first.json)
        caller.now += 20_000_000_000
        let later = caller.call("StartFraudsterRegistrationJob", request)
        #expect(later.json["Job"]?["JobId"] == first.json["Job"]?["JobId"])
        #expect(later.json["Job"]?["JobStatus"] != first.json["Job"]?["JobStatus"])
        let other = caller.call("StartFraudsterRegistrationJob", start(caller.domain, token: "t-1", name: "two"))
        #expect(other.errorType == "ConflictException")
        #expect(caller.list(status: nil, size: 100).jobs.filter { $0["JobName"]?.string == "one" }.count == 1)
    }

    @Test("a domain has one active job of a kind")
    func conflict() throws {
        var caller = TestCaller()
        #expect(caller.call("StartFraudsterRegistrationJob", start(caller.domain, token: "a")).result == .ok)
        let second = caller.call("StartFraudsterRegistrationJob", start(caller.domain, token: "b"))
        #expect(second.status == 400)
        #expect(second.errorType == "ConflictException")
        #expect(second.json["ConflictType"]?.string == "CONCURRENT_CHANGES")
        #expect(caller.call("StartSpeakerEnrollmentJob", start(caller.domain, token: "b")).result == .ok)
        let other = caller.service.account.domains[1].id.text
        #expect(caller.call("StartFraudsterRegistrationJob", start(other, token: "b")).result == .ok)
        caller.now += 10_000_000_000
        #expect(caller.call("StartFraudsterRegistrationJob", start(caller.domain, token: "b")).result == .ok)
    }

    @Test("pages go on where they were when a job comes before them")
    func paging() throws {
        let caller = TestCaller()
        let first = caller.list(size: 50)
        let all = caller.list(size: 100).jobs
        #expect(caller.call("StartFraudsterRegistrationJob", start(caller.domain)).result == .ok)
        let second = caller.list(size: 50, token: first.nextToken)
        #expect(first.jobs + second.jobs == all)
    }

    @Test("input is checked to its depth")
    func validation() {
        let caller = TestCaller()
        let failed = "failed to satisfy constraint:"
        let missing = caller.call("StartFraudsterRegistrationJob", "{}")
        #expect(
            missing.message == "4 validation errors detected: "
                + ["dataAccessRoleArn", "domainId", "inputDataConfig", "outputDataConfig"]
                .map { "Value null at '\($0)' \(failed) Member must not be null" }.joined(separator: "; "))
        let nested = caller.call(
            "StartFraudsterRegistrationJob",
            start(caller.domain).replacing("s3://bucket/in", with: "http://x"))
        #expect(
            nested.message
                == "1 validation error detected: Value 'http://x' at 'inputDataConfig.s3Uri' \(failed) Member "
                + #"must satisfy regular expression pattern: ^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$"#)
        let score = caller.call(
            "StartFraudsterRegistrationJob",
            start(caller.domain, more: #","RegistrationConfig":{"FraudsterSimilarityThreshold":101}"#))
        #expect(score.message?.contains("'registrationConfig.fraudsterSimilarityThreshold'") == true)
        let kind = caller.call("StartFraudsterRegistrationJob", start(caller.domain, more: #","RegistrationConfig":1"#))
        #expect(kind.errorType == "SerializationException")
        #expect(
            caller.call("StartFraudsterRegistrationJob", start("0123456789abcdefghijkl")).errorType
                == "ResourceNotFoundException")
    }

    @Test("a domain is made, described, changed and deleted")
    func domains() throws {
        var caller = TestCaller()
        let key = #""ServerSideEncryptionConfiguration":{"KmsKeyId":"alias/one"}"#
        let create = #"{"ClientToken":"t","Name":"mine","Description":"My domain",\#(key)}"#
        let domain = try #require(caller.call("CreateDomain", create).json["Domain"])
        let id = try #require(domain["DomainId"]?.string)
        #expect(domain["Name"]?.string == "mine")
        #expect(caller.call("CreateDomain", create).json["Domain"] == domain)
        #expect(caller.call("CreateDomain", create.replacing("mine", with: "x")).errorType == "ConflictException")
        #expect(caller.list(.listDomains).domains.first == domain)
        #expect(caller.list(.listDomains).domains.count == 4)
        #expect(caller.list(domain: id).jobs.isEmpty)
        #expect(caller.call("StartSpeakerEnrollmentJob", start(id)).result == .ok)

        caller.wallClock += 60
        let update = #"{"DomainId":"\#(id)","Name":"yours",\#(key.replacing("one", with: "two"))}"#
        let updated = try #require(caller.call("UpdateDomain", update).json["Domain"])
        #expect(updated["Name"]?.string == "yours")
        #expect(updated["Description"] == nil)
        #expect(updated["CreatedAt"] == domain["CreatedAt"])
        #expect(updated["UpdatedAt"] != domain["UpdatedAt"])
        #expect(updated["ServerSideEncryptionConfiguration"]?["KmsKeyId"]?.string == "alias/two")
        #expect(updated["ServerSideEncryptionUpdateDetails"]?["OldKmsKeyId"]?.string == "alias/one")
        let name = #"{"DomainId":"\#(id)"}"#
        #expect(caller.call("DescribeDomain", name).json["Domain"] == updated)

        #expect(caller.call("DeleteDomain", name).text == "{}")
        for operation in ["DescribeDomain", "DeleteDomain", "ListFraudsterRegistrationJobs"] {
            #expect(caller.call(operation, name).errorType == "ResourceNotFoundException")
        }
        #expect(caller.call("UpdateDomain", update).errorType == "ResourceNotFoundException")
        #expect(caller.list(.listDomains).domains.count == 3)
    }

    @Test("an account is never fuller than its options may make it")
    func bounds() {
        let caller = TestCaller(SandboxOptions(domains: 1000, jobs: 1, rate: 1e7))
        let create = #"{"Name":"one","ServerSideEncryptionConfiguration":{"KmsKeyId":"k"}}"#
        #expect(caller.call("CreateDomain", create).errorType == "ServiceQuotaExceededException")
        #expect(caller.call("DeleteDomain", #"{"DomainId":"\#(caller.domain)"}"#).result == .ok)
        #expect(caller.call("CreateDomain", create).result == .ok)
        let full = TestCaller(SandboxOptions(domains: 1, jobs: 1_000_000 / 2, rate: 1e7))
        #expect(full.call("StartSpeakerEnrollmentJob", start(full.domain)).errorType == "ServiceQuotaExceededException")
    }
}
