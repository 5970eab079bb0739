import AWSProtocol
import CatalogImport
import Gateway
import Testing

@testable import JobsProxy

@Suite("The command catalog import", .timeLimit(.minutes(1)))
struct CatalogImportTests {
    private func imported(_ service: String) async throws -> Catalog {
        let model = try await Python.run("service_model.py", [service])
        var importer = CatalogImporter()
        // What it says of values is compared too.
        importer.validation = .full
        let paginators = try? await Python.run("service_model.py", [service, "paginators-1"])
        importer.paginators = paginators.map { Array($0.utf8) }
        return try Catalog(yaml: Array(try importer.catalog(ofModel: Array(model.utf8)).utf8))
    }

    @Test("makes of the SDK's model of Voice ID what the built-in catalog says of it")
    func voiceID() async throws {
        let catalog = try await imported("voice-id")
        let builtIn = try CatalogFile.load("voice-id")
        #expect(catalog.name == builtIn.name)
        #expect(catalog.signingName == builtIn.signingName)
        #expect(catalog.targetPrefix == builtIn.targetPrefix)
        #expect(catalog.errorNamespace == builtIn.errorNamespace)
        #expect(catalog.operations.map(\.name) == builtIn.operations.map(\.name))
        for (made, known) in zip(catalog.operations, builtIn.operations) {
            #expect(made.input == known.input, "\(made.name)")
            #expect(made.domain == known.domain, "\(made.name)")
            #expect(made.idempotencyToken == known.idempotencyToken, "\(made.name)")
            // The model calls names and descriptions sensitive: the built-in catalog knows better, the importer is careful.
            #expect(
                made.kind == known.kind || (made.kind == .live && made.isSensitive) || !known.kind.isCached,
                "\(made.name)")
        }
    }

    @Test("leaves values to the service unless it is told otherwise")
    func validation() async throws {
        let model = try await Python.run("service_model.py", ["voice-id"])
        let catalog = try Catalog(yaml: Array(try CatalogImporter().catalog(ofModel: Array(model.utf8)).utf8))
        #expect(catalog.validation == .types)
        #expect(catalog.operations.flatMap(\.input).allSatisfy { $0.pattern == nil && $0.values.isEmpty })
        #expect(try CatalogFile.load("voice-id").validation == .full)
    }

    @Test(
        "makes catalogs of other services that can be read: of both versions of awsJson, and where others are listed beside it",
        arguments: [
            ("dynamodb", JSONVersion.awsJson1_0), ("swf", .awsJson1_0), ("sso-admin", .awsJson1_1),
            ("cloudhsm", .awsJson1_1), ("transcribe", .awsJson1_1), ("sqs", .awsJson1_0),
            ("network-firewall", .awsJson1_0), ("cloudwatch", .awsJson1_0),
        ])
    func others(_ service: String, _ version: JSONVersion) async throws {
        let catalog = try await imported(service)
        #expect(!catalog.operations.isEmpty)
        #expect(catalog.version == version)
        #expect(catalog.isQueryCompatible == ["sqs", "cloudwatch"].contains(service))
    }

    @Test("says that a service without awsJson has none")
    func otherProtocol() async throws {
        let error = await #expect(throws: ImportFault.self) { try await imported("s3") }
        #expect(error == .model("is not the model of an awsJson service, 1.0 or 1.1"))
    }

    @Test(
        "says what is wrong with a file that is no model",
        arguments: ["", "[]", "{}", "{\"metadata\":{},\"operations\":{},\"shapes\":{}}", "{\"metadata\":1}"])
    func noModel(_ text: String) {
        #expect(throws: ImportFault.self) { try CatalogImporter().catalog(ofModel: Array(text.utf8)) }
    }
}
