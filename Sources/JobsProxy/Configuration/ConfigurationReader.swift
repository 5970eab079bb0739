internal import Gateway
internal import StrictYAML

enum ConfigurationReader {
    typealias CatalogLoader = (Configuration.ServiceEntry.CatalogSource) throws(CommandFailure) -> Catalog

    /// The configuration in a file. Where a value has a fault, it has the default.
    ///
    /// - Parameters:
    ///   - bytes: the file: UTF-8, 1 MiB at most. An empty one means every default.
    ///   - catalog: finds the catalogs that names of quota groups and operations are compared with; `nil`: they are not.
    static func read(_ bytes: [UInt8], _ faults: FaultCollector, catalog: CatalogLoader? = nil) -> Configuration {
        var configuration = Configuration()
        configuration.wording.isEmpty = true
        if let source = SourceText(bytes, faults: faults), let tree = YAMLText.tree(of: source, faults: faults) {
            switch tree.content {
            case .mapping(let entries):
                configuration.wording.isEmpty = entries.isEmpty
                let mapping = Mapping(entries, line: tree.line, path: .root, faults: faults)
                configuration.read(mapping, catalog)
                mapping.close()
            // A file of comments, or of a lone '---'.
            case _ where tree.isNull: break
            default: faults.add(line: tree.line, "a configuration is a mapping of keys, not \(tree.kind)")
            }
        }
        return configuration
    }
}
