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

    @Test("show names what was probably meant")
    func misspelt() throws {
        let command = try #require(
            try JobsProxyCommand.parseAsRoot(["catalog", "show", "ListDomain"]) as? CatalogShowCommand)
        let error = #expect(throws: ValidationError.self) { try command.run() }
        #expect(error?.message == "there is no operation 'ListDomain'; did you mean ListDomains?")
    }
}
