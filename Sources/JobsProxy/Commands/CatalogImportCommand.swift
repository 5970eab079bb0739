internal import ArgumentParser
internal import Gateway

/// `jobs-proxy catalog import`: a catalog from a service's model.
struct CatalogImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Makes a catalog of a service's model and prints it.",
        discussion: """
            A model is what the AWS SDKs carry of a service, such as botocore's data/SERVICE/VERSION/service-2.json
            (unpacked), if the service speaks awsJson 1.0 or 1.1. Quotas and what writes make void are not in it: look the catalog through before you use it.

            Examples:
              jobs-proxy catalog import service-2.json > my-service.yaml
              jobs-proxy catalog list my-service.yaml
            """)

    @Argument(help: ArgumentHelp("The path of the model.", valueName: "MODEL.json"))
    var model: String

    func run() throws {
        let json = try File.read(model, atMost: 64 << 20)
        do throws(CatalogError) {
            let catalog = try ServiceModel(json).catalog
            // A catalog is printed only if it can be read.
            _ = try Catalog(yaml: Array(catalog.utf8))
            print(catalog, terminator: "")
        } catch {
            throw CommandFailure("\(model): \(error.message)")
        }
    }
}
