internal import ArgumentParser
internal import BuiltInCatalogs
internal import Gateway

/// `jobs-proxy catalog`: what the gateway knows of services.
struct CatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "Shows what the gateway knows of services.",
        subcommands: [
            CatalogListCommand.self, CatalogShowCommand.self, CatalogImportCommand.self, CatalogDiffCommand.self,
        ])

    func run() throws { throw ValidationError.noCommand }
}

/// `jobs-proxy catalog list`: a line for each catalog, or for each operation of one.
struct CatalogListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the built-in catalogs, or the operations of one: name, kind, quota group and its rate.",
        discussion: """
            Examples:
              jobs-proxy catalog list
              jobs-proxy catalog list voice-id
              jobs-proxy catalog list my-service.yaml
            """)

    @Argument(help: ArgumentHelp("A built-in catalog's name or the path of a catalog file.", valueName: "CATALOG"))
    var catalog: String?

    func run() throws {
        guard let catalog else {
            let names = BuiltInCatalogs.names
            let width = names.map(\.count).max() ?? 0
            for name in names {
                let catalog = try CatalogFile.load(name)
                let cached = catalog.operations.count { $0.kind.isCached }
                print(
                    "\(CatalogText.padded(name, width))  \(catalog.targetPrefix): \(catalog.operations.count) operations, "
                        + "answers of \(cached) are kept")
            }
            return
        }
        let read = try CatalogFile.load(catalog)
        // The name that the gateway's metrics, logs and purges know the service by.
        let name = Configuration.ServiceEntry.CatalogSource(name: catalog).serviceName
        print("\(name) (\(read.targetPrefix), \(read.operations.count) operations)")
        let width = read.operations.map(\.name.count).max() ?? 0
        for operation in read.operations {
            let group = read.quotaGroups[operation.quotaGroup]
            print(
                "  \(CatalogText.padded(operation.name, width))  \(CatalogText.padded(operation.kind.rawValue, 5))  "
                    + "\(group.name) \(CatalogText.number(group.rate))/s")
        }
    }
}
