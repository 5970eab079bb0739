internal import ArgumentParser
internal import BuiltInCatalogs
internal import Gateway

/// `jobs-proxy catalog`: what the gateway knows of services.
struct CatalogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "Shows what the gateway knows of services.",
        subcommands: [CatalogListCommand.self, CatalogShowCommand.self, CatalogImportCommand.self])

    func run() throws { throw ValidationError.noCommand }
}

/// `jobs-proxy catalog list`: a line for each operation.
struct CatalogListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the operations of a catalog: name, kind, quota group and its rate.",
        discussion: """
            Examples:
              jobs-proxy catalog list
              jobs-proxy catalog list my-service.yaml
            """)

    @Argument(help: ArgumentHelp("A built-in catalog's name or the path of a catalog file.", valueName: "CATALOG"))
    var catalog: String?

    func run() throws {
        for name in catalog.map({ [$0] }) ?? BuiltInCatalogs.names {
            let catalog = try CatalogFile.load(name)
            print("\(catalog.name) (\(catalog.targetPrefix), \(catalog.operations.count) operations)")
            let width = catalog.operations.map(\.name.count).max() ?? 0
            for operation in catalog.operations {
                let group = catalog.quotaGroups[operation.quotaGroup]
                let name = operation.name + String(repeating: " ", count: width - operation.name.count)
                let kind = operation.kind.rawValue + String(repeating: " ", count: 5 - operation.kind.rawValue.count)
                print("  \(name)  \(kind)  \(group.name) \(CatalogText.number(group.rate))/s")
            }
        }
    }
}
