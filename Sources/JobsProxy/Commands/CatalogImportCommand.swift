internal import ArgumentParser
internal import CatalogImport
internal import Gateway

/// `jobs-proxy catalog import`: a catalog from a service's model.
struct CatalogImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a catalog of a service's model and prints it.",
        discussion: """
            A model is what AWS publishes of a service that speaks awsJson 1.0 or 1.1: service-2.json or service-2.json.gz of
            botocore's data/SERVICE/VERSION, or the JSON of a Smithy model. Beside the former its paginators-1.json is read too.
            An operation's answers are kept only where it reads and they hold nothing sensitive, no token and no secret. Quotas
            are not in a model: they stand in an overlay, whose every line is compared with the model.

            Examples:
              jobs-proxy catalog import service-2.json.gz > my-service.yaml
              jobs-proxy catalog import service-2.json --operations 'List*,Describe*' --overlay mine.yaml
              jobs-proxy catalog list my-service.yaml
            """)

    @Argument(help: ArgumentHelp("The path of the model, or of a catalog to lay an overlay on.", valueName: "MODEL"))
    var model: String

    @Option(help: ArgumentHelp("The operations to keep: names or patterns, with commas between.", valueName: "NAMES"))
    var operations: String?

    @Option(help: ArgumentHelp("What is known of the service beside its model.", valueName: "FILE"))
    var overlay: String?

    @Option(help: ArgumentHelp("The model's paginators, if they are not beside it.", valueName: "FILE"))
    var paginators: String?

    @Option(help: ArgumentHelp("How much of inputs is judged by the gateway: full, types or off.", valueName: "WORD"))
    var validation = "types"

    func run() throws {
        var importer = CatalogImporter()
        guard let validation = Catalog.Validation(rawValue: validation) else {
            throw ValidationError("--validation must be one of full, types and off")
        }
        importer.validation = validation
        importer.operations = (operations ?? "").split(separator: ",").map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        if let overlay { importer.overlay = CatalogImporter.File(name: overlay, bytes: try File.read(overlay)) }
        importer.paginators =
            if let paginators { try File.read(paginators) } else { try CatalogFile.paginators(beside: model) }
        let bytes = try File.read(model, atMost: CatalogImporter.maxModelBytes)
        print(try CatalogFile.text(named: model, bytes, importer), terminator: "")
    }
}
