import AWSProtocol
import ArgumentParser
import Gateway
import Testing

@testable import JobsProxy

@Suite("The command catalog")
struct CatalogCommandTests {
    private func described(_ name: String) throws -> String {
        let catalog = try CatalogFile.load("voice-id")
        let operation = try #require(catalog.operations.first { $0.name == name })
        return CatalogText.describe(operation, of: catalog)
    }

    @Test("show says what is done with an operation and what its input must be")
    func listing() throws {
        #expect(
            try described("ListFraudsterRegistrationJobs") == #"""
                VoiceID.ListFraudsterRegistrationJobs
                  kind         page: answers are kept, and equal requests share one fetch
                  quota        batch: 2 a second, 2 at once
                  or           by how often its pages change: cache.ttl.operation: {ListFraudsterRegistrationJobs: auto}
                  new token    NextToken in each answer, good for 24h; without it pages are the same
                  final        changes no more: COMPLETED, COMPLETED_WITH_ERRORS, FAILED
                  input
                    DomainId: string; required; 22 characters; ^[a-zA-Z0-9]{22}$; names the domain
                    JobStatus: string; one of SUBMITTED, IN_PROGRESS, COMPLETED, COMPLETED_WITH_ERRORS, FAILED; decides the time to live
                    MaxResults: integer; 1 to 100; missing is the same as 100
                    NextToken: string; 0 to 8192 characters; ^\p{ASCII}{0,8192}$
                """#)
    }

    @Test("show says what a write makes void, and what is inside its input")
    func write() throws {
        let text = try described("CreateDomain")
        #expect(
            text.contains("\n  makes void   the pages of operations without a domain\n  idempotent   by ClientToken\n"))
        #expect(
            text.contains("\n    Tags: list; 0 to 200 elements\n      member: structure\n        Key: string; required")
        )
    }

    @Test("show has something to say of every operation")
    func all() throws {
        for operation in try CatalogFile.load("voice-id").operations {
            #expect(try described(operation.name).contains("\n  kind "), "\(operation.name)")
        }
    }

    @Test("show stops where shapes fan out without end")
    func fanOut() throws {
        let shapes = (0..<12).map { level in
            let members = (0..<10).map { "M\($0): S\(level + 1)" }.joined(separator: ", ")
            return "  S\(level): { type: structure, members: { \(members) } }"
        }
        let text = """
            name: x
            signingName: x
            targetPrefix: X
            errorNamespace: x
            protocol: awsJson1_0
            quotas: { default: { rate: 2 } }
            operations: { DoThing: { kind: write, quota: default, input: { Top: S0 } } }
            shapes:
            \(shapes.joined(separator: "\n"))
              S12: { type: string }
            """
        let catalog = try Catalog(yaml: Array(text.utf8))
        let lines = CatalogText.describe(try #require(catalog.operations.first), of: catalog).split(separator: "\n")
        #expect(lines.count < 1100)
        #expect(lines.last?.contains("…") == true)
    }

    @Test("diff says what differs, and nothing of what does not")
    func difference() throws {
        let old = try CatalogFile.load("voice-id")
        #expect(CatalogDifference.lines(old, old) == [])
        var new = old
        new.operations.removeAll { $0.name == "TagResource" }
        new.quotaGroups[0].rate = 61
        for place in new.operations.indices where new.operations[place].name == "ListDomains" {
            new.operations[place].kind = .live
            new.operations[place].input[0].isRequired = true
            new.operations[place].ttl = 3_000_000_000
        }
        let group = old.quotaGroups[0].name
        #expect(
            CatalogDifference.lines(old, new) == [
                "~ quota \(group): rate \(CatalogText.number(old.quotaGroups[0].rate)) -> 61",
                "~ ListDomains: kind page -> live", "~ ListDomains: ttl none -> 3s",
                "~ ListDomains.MaxResults: required false -> true", "- TagResource",
            ])
        #expect(CatalogDifference.lines(new, old).last == "+ TagResource")
    }

    @Test("a name that is not built in is told with those that are")
    func unknown() {
        let error = #expect(throws: CommandFailure.self) { try CatalogFile.load("voiceid") }
        #expect(error?.description.contains("there are voice-id, ") == true)
    }

    @Test("show names what was probably meant")
    func misspelt() throws {
        let command = try #require(
            try JobsProxyCommand.parseAsRoot(["catalog", "show", "ListDomain"]) as? CatalogShowCommand)
        let error = #expect(throws: ValidationError.self) { try command.run() }
        #expect(error?.message == "there is no operation 'ListDomain'; did you mean ListDomains?")
    }
}
