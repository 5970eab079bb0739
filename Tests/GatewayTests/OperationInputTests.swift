import AWSProtocol
import PageCache
import Testing

@testable import Gateway

@Suite("An input has one canonical body, and faults are worded")
struct OperationInputTests {
    private static let domain = GateFixture.domain
    private static let d = "\"DomainId\":\"\(domain)\""

    private func input(_ name: String, _ body: String) throws -> OperationInput {
        let operation = try #require(try builtInCatalog().operations.first { $0.name == name })
        let bytes = Array(body.utf8)
        return try OperationInput(bytes.span, of: operation)
    }

    private func fault(_ name: String, _ body: String) throws -> OperationInput.Fault? {
        do {
            _ = try input(name, body)
            return nil
        } catch let fault as OperationInput.Fault {
            return fault
        }
    }

    @Test(
        "Spelling, space and order do not matter; null and defaults are left out; everything else counts",
        arguments: [
            ("{\(d)}", "{\(d)}"), (" {\n\"DomainId\" : \"\(domain)\" } ", "{\(d)}"),
            ("{\"\\u0044omainId\":\"\\u0061\(domain.dropFirst())\"}", "{\(d)}"),
            ("{\(d),\"MaxResults\":100}", "{\(d)}"),
            ("{\(d),\"MaxResults\":null,\"NextToken\":null,\"JobStatus\":null}", "{\(d)}"),
            ("{\"MaxResults\":100,\(d)}", "{\(d)}"), ("{\(d),\"MaxResults\":7}", "{\(d),\"MaxResults\":7}"),
            ("{\"MaxResults\":7,\(d)}", "{\(d),\"MaxResults\":7}"),
            ("{\(d),\"NextToken\":\"\"}", "{\(d),\"NextToken\":\"\"}"),
            ("{\"NextToken\":\"a\\/b\\u0022\\n\",\(d)}", "{\(d),\"NextToken\":\"a/b\\\"\\n\"}"),
            (
                "{\"NextToken\":\"t\",\"MaxResults\":1,\"JobStatus\":\"FAILED\",\(d)}",
                "{\(d),\"JobStatus\":\"FAILED\",\"MaxResults\":1,\"NextToken\":\"t\"}"
            ),
        ])
    func canonical(_ body: String, _ expected: String) throws {
        let input = try input("ListFraudsterRegistrationJobs", body)
        #expect(String(decoding: input.canonicalBody, as: UTF8.self) == expected)
        #expect(input.domain == Array(Self.domain.utf8))
        #expect(!input.hasUnknownMembers)
        let again = try self.input("ListFraudsterRegistrationJobs", expected)
        #expect(again.canonicalBody == input.canonicalBody)
    }

    @Test("ListDomains has no default page size, and no domain")
    func listDomains() throws {
        #expect(try input("ListDomains", "{\"MaxResults\":10}").canonicalBody == Array("{\"MaxResults\":10}".utf8))
        #expect(try input("ListDomains", "{}").canonicalBody == Array("{}".utf8))
        #expect(try input("ListDomains", "{}").domain.isEmpty)
    }

    @Test("A member that the catalog does not know is noticed")
    func unknown() throws {
        #expect(try input("ListDomains", "{\"New\":1}").hasUnknownMembers)
        #expect(try input("ListDomains", "{\"maxResults\":1}").hasUnknownMembers)
    }

    @Test("An empty body is an empty object")
    func empty() throws {
        #expect(try input("ListDomains", "").canonicalBody == Array("{}".utf8))
        #expect(try fault("ListFraudsterRegistrationJobs", "") == fault("ListFraudsterRegistrationJobs", "{}"))
    }

    @Test("Status, resource and idempotency token are found")
    func meanings() throws {
        let jobs = try input("ListFraudsterRegistrationJobs", "{\(Self.d),\"JobStatus\":\"FAILED\"}")
        #expect(jobs.status == Array("FAILED".utf8))
        let arn = "arn:aws:voiceid:us-east-1:123456789012:domain/\(Self.domain)"
        #expect(try input("ListTagsForResource", "{\"ResourceArn\":\"\(arn)\"}").resource == Array(arn.utf8))
        let watchlist = "{\(Self.d),\"Name\":\"n\",\"ClientToken\":"
        #expect(try input("CreateWatchlist", watchlist + "\"t\"}").hasIdempotencyToken)
        #expect(try !input("CreateWatchlist", watchlist + "null}").hasIdempotencyToken)
        #expect(try !input("CreateWatchlist", "{\(Self.d),\"Name\":\"n\"}").hasIdempotencyToken)
    }

    @Test(
        "What is not JSON of the right types cannot be serialised",
        arguments: [
            " ", "[]", "null", "{", "{\(d)}x", "{\(d),\(d)}", "{\(d),\"\\u0044omainId\":\"\(domain)\"}",
            "{\"DomainId\":7}",
            "{\(d),\"MaxResults\":\"7\"}", "{\(d),\"MaxResults\":true}", "{\(d),\"NextToken\":[]}",
            "{\(d),\"JobStatus\":{}}", "\u{feff}{\(d)}", "{\(d),\"x\":{\"a\":1,\"a\":2}}",
        ])
    func serialization(_ body: String) throws {
        guard case .serialization = try fault("ListFraudsterRegistrationJobs", body) else {
            Issue.record("accepted, or another fault")
            return
        }
    }

    @Test(
        "A number that is not spelled as a whole one is the service's to judge",
        arguments: ["7.0", "1e1", "100.0", "0.5", "1e400", "99999999999999999999", "-0.0"])
    func otherNumbers(_ number: String) throws {
        let input = try input("ListFraudsterRegistrationJobs", "{\(Self.d),\"MaxResults\":\(number)}")
        #expect(input.hasUnknownMembers && input.isUncertain)
        #expect(input.domain == Array(Self.domain.utf8))
    }

    @Test("A body that is nested too deep to be read is the service's to judge")
    func deep() throws {
        for depth in [JSONReader.maxDepth, 1000] {
            let value = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let input = try input("ListFraudsterRegistrationJobs", "{\(Self.d),\"New\":\(value)}")
            #expect(input.hasUnknownMembers && input.isUncertain && input.domain.isEmpty)
        }
        // Up to there it is read.
        let shallow = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        #expect(try !input("ListFraudsterRegistrationJobs", "{\(Self.d),\"New\":\(shallow)}").isUncertain)
    }

    @Test(
        "What violates the model is worded as AWS words it",
        arguments: [
            (
                "{}",
                "1 validation error detected: Value null at 'domainId' failed to satisfy constraint: Member must not be null"
            ),
            (
                "{\"DomainId\":null}",
                "1 validation error detected: Value null at 'domainId' failed to satisfy constraint: Member must not be null"
            ),
            (
                "{\(d),\"MaxResults\":0}",
                "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: "
                    + "Member must have value greater than or equal to 1"
            ),
            (
                "{\(d),\"MaxResults\":101}",
                "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: "
                    + "Member must have value less than or equal to 100"
            ),
            (
                "{\"MaxResults\":101,\"JobStatus\":\"X\",\(d)}",
                "2 validation errors detected: Value 'X' at 'jobStatus' failed to satisfy constraint: Member must satisfy "
                    + "enum value set: [SUBMITTED, IN_PROGRESS, COMPLETED, COMPLETED_WITH_ERRORS, FAILED]; Value '101' at "
                    + "'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"
            ),
        ])
    func validation(_ body: String, _ message: String) throws {
        #expect(try fault("ListFraudsterRegistrationJobs", body) == .validation(message))
    }

    @Test(
        "The time to live goes by operation, by status, by what is final, by the catalog, then by default",
        arguments: [
            ("ListA", nil, 10), ("ListA", "COMPLETED", 30), ("ListA", "SUBMITTED", 10), ("ListB", nil, 5),
            ("ListB", "COMPLETED", 5), ("ListA", "completed", 10), ("ListA", "BACKED_UP", 20),
            ("ListA", "DONE", 40), ("ListB", "DONE", 5), ("ListA", "done", 10), ("ListC", nil, 15),
            ("ListC", "DONE", 40),
            ("ListC", "COMPLETED", 30),
            // With U+212A, the sign of kelvin: `K` to Unicode, and to Swift's `==`.
            ("ListA", "BAC\u{212a}ED_UP", 10),
        ] as [(String, String?, Int64)])
    func lifetimes(_ operation: String, _ status: String?, _ fresh: Int64) throws {
        var policy = CachePolicy()
        policy.statusTTL = ["COMPLETED": 30 * second, "BACKED_UP": 20 * second]
        policy.operationTTL = ["ListB": .fixed(5 * second)]
        policy.finalTTL = 40 * second
        let known = Operation(
            name: operation, kind: .page, quotaGroup: 0, isJudged: true, input: [], memberNames: [], defaults: [],
            invalidates: [], final: ["DONE", "COMPLETED"].map { Array($0.utf8) },
            ttl: operation == "ListC" ? 15 * second : nil)
        let lifetime = policy.lifetime(
            of: known, try GateFixture().gate.services[0], status: status.map { Array($0.utf8) })
        #expect(lifetime.fresh == fresh * second)
        #expect(lifetime.staleWhileRevalidate == 30 * second)
        #expect(lifetime.staleIfError == 600 * second)
    }
}
