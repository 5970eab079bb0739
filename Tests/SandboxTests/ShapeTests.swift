import AWSProtocol
import Testing

@testable import Sandbox

@Suite("Jobs and domains")
struct ShapeTests {
    static let lists: [(Operation, Operation, JobKind)] = [
        (.listFraudsterRegistrationJobs, .describeFraudsterRegistrationJob, .fraudsterRegistration),
        (.listSpeakerEnrollmentJobs, .describeSpeakerEnrollmentJob, .speakerEnrollment),
    ]

    private func jobs(_ operation: Operation, _ caller: TestCaller = TestCaller()) -> [JSONValue] {
        JobStatus.allCases.flatMap { caller.list(operation, status: $0).jobs }
    }

    private func matches(_ value: JSONValue?, _ pattern: String) throws -> Bool {
        try Pattern(pattern).matches(Array(#require(value?.string).utf8)) == true
    }

    @Test("are in every status", arguments: [5, 6, 20, 250])
    func statuses(count: Int) {
        let caller = TestCaller(SandboxOptions(jobs: count, rate: 1e7))
        for domain in caller.service.account.domains {
            for (list, _, _) in Self.lists {
                for status in JobStatus.allCases {
                    let page = caller.list(list, domain: domain.id.text, status: status)
                    #expect(!page.jobs.isEmpty)
                    #expect(page.jobs.allSatisfy { $0["JobStatus"]?.string == status.rawValue })
                }
            }
        }
    }

    @Test("have the members of the model, those of ended and failed jobs only where they belong")
    func summaryMembers() throws {
        for (list, _, _) in Self.lists {
            for job in jobs(list) {
                let status = try #require(job["JobStatus"]?.string.flatMap { JobStatus(rawValue: $0) })
                var expected = ["CreatedAt", "DomainId", "JobId", "JobName", "JobProgress", "JobStatus"]
                if status.isTerminal { expected.append("EndedAt") }
                if status == .failed { expected.append("FailureDetails") }
                #expect(job.memberNames.sorted() == expected.sorted())
                #expect(try matches(job["JobId"], "^[a-zA-Z0-9]{22}$"))
                #expect(try matches(job["DomainId"], "^[a-zA-Z0-9]{22}$"))
                #expect(try matches(job["JobName"], "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"))
                if let failure = job["FailureDetails"] {
                    #expect(failure.memberNames == ["Message", "StatusCode"])
                    #expect((400...599).contains(try #require(failure["StatusCode"]?.integer)))
                    #expect(failure["Message"]?.string?.isEmpty == false)
                }
            }
        }
    }

    @Test("have progressed as far as their status says")
    func progress() throws {
        for (list, _, _) in Self.lists {
            for job in jobs(list) {
                let percent = try #require(job["JobProgress"]?["PercentComplete"]?.integer)
                switch job["JobStatus"]?.string {
                case "SUBMITTED": #expect(percent == 0)
                case "IN_PROGRESS": #expect((1...99).contains(percent))
                case "FAILED": #expect((0...99).contains(percent))
                default: #expect(percent == 100)
                }
            }
        }
    }

    @Test("have times in seconds with milliseconds, none before its cause")
    func times() throws {
        for job in jobs(.listFraudsterRegistrationJobs) {
            let created = try #require(job["CreatedAt"]?.digits)
            #expect(try Pattern("^[0-9]{10}[.][0-9]{3}$").matches(Array(created.utf8)) == true)
            if let ended = job["EndedAt"]?.digits {
                #expect(try Pattern("^[0-9]{10}[.][0-9]{3}$").matches(Array(ended.utf8)) == true)
                #expect(created < ended)
            }
        }
    }

    @Test("are described with all that the list says, and the rest")
    func description() throws {
        let caller = TestCaller()
        for (list, describe, kind) in Self.lists {
            for summary in jobs(list, caller) {
                let body = #"{"DomainId":"\#(caller.domain)","JobId":"\#(summary["JobId"]?.string ?? "")"}"#
                let reply = caller.call(describe.rawValue, body)
                let job = try #require(reply.json["Job"])
                #expect(reply.json.memberNames == ["Job"])
                for name in summary.memberNames { #expect(job[name] == summary[name]) }
                let config = kind == .speakerEnrollment ? "EnrollmentConfig" : "RegistrationConfig"
                let rest = ["DataAccessRoleArn", "InputDataConfig", "OutputDataConfig", config]
                #expect(job.memberNames.sorted() == (summary.memberNames + rest).sorted())
                #expect(try matches(job["DataAccessRoleArn"], "^arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+$"))
                let uri = #"^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$"#
                #expect(try matches(job["InputDataConfig"]?["S3Uri"], uri))
                #expect(try matches(job["OutputDataConfig"]?["S3Uri"], uri))
                #expect(job["OutputDataConfig"]?["KmsKeyId"]?.string != nil)
            }
        }
    }

    @Test("have the configuration of their kind")
    func configuration() throws {
        let caller = TestCaller()
        for (list, describe, kind) in Self.lists {
            for summary in jobs(list, caller) {
                let body = #"{"DomainId":"\#(caller.domain)","JobId":"\#(summary["JobId"]?.string ?? "")"}"#
                let job = try #require(caller.call(describe.rawValue, body).json["Job"])
                let watched: JSONValue
                switch kind {
                case .fraudsterRegistration:
                    watched = try #require(job["RegistrationConfig"])
                    let action = try #require(watched["DuplicateRegistrationAction"]?.string)
                    #expect(["SKIP", "REGISTER_AS_NEW"].contains(action))
                    #expect((0...100).contains(try #require(watched["FraudsterSimilarityThreshold"]?.integer)))
                case .speakerEnrollment:
                    let config = try #require(job["EnrollmentConfig"])
                    #expect(["SKIP", "OVERWRITE"].contains(try #require(config["ExistingEnrollmentAction"]?.string)))
                    watched = try #require(config["FraudDetectionConfig"])
                    #expect(["IGNORE", "FAIL"].contains(try #require(watched["FraudDetectionAction"]?.string)))
                    #expect((0...100).contains(try #require(watched["RiskThreshold"]?.integer)))
                }
                let watchlists = try #require(watched["WatchlistIds"]?.array)
                #expect(watchlists.count == 1)
                #expect(try matches(watchlists.first, "^[a-zA-Z0-9]{22}$"))
            }
        }
    }

    @Test("of the domain list have the members of the model")
    func domains() throws {
        let caller = TestCaller()
        let domains = caller.list(.listDomains).domains
        #expect(domains.count == 3)
        for domain in domains {
            #expect(
                domain.memberNames == [
                    "Arn", "CreatedAt", "Description", "DomainId", "DomainStatus", "Name",
                    "ServerSideEncryptionConfiguration", "ServerSideEncryptionUpdateDetails", "UpdatedAt",
                    "WatchlistDetails",
                ])
            let arn = "^arn:aws(-[^:]+)?:voiceid.+:[0-9]{12}:domain/[a-zA-Z0-9]{22}$"
            #expect(try matches(domain["Arn"], arn))
            #expect(try matches(domain["Description"], #"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"#))
            #expect(try matches(domain["Name"], "^[a-zA-Z0-9][a-zA-Z0-9_-]*$"))
            #expect(try matches(domain["WatchlistDetails"]?["DefaultWatchlistId"], "^[a-zA-Z0-9]{22}$"))
            #expect(domain["ServerSideEncryptionConfiguration"]?["KmsKeyId"]?.string != nil)
        }
    }
}
