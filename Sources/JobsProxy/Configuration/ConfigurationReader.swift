internal import StrictYAML

/// Reads a configuration file, or says all that is wrong with it.
enum ConfigurationReader {
    /// - Parameters:
    ///   - bytes: The file: UTF-8, 1 MiB at most. An empty one means every default.
    ///   - file: Its name, for the faults.
    static func read(_ bytes: [UInt8], file: String) -> Result<Configuration, FileFaults> {
        let faults = FaultCollector(file: file)
        var configuration = Configuration()
        if let source = SourceText(bytes, faults: faults), let tree = YAMLText.tree(of: source, faults: faults) {
            read(tree, into: &configuration, faults: faults)
        }
        return faults.sorted.map(Result.failure) ?? .success(configuration)
    }

    private static func read(_ tree: Tree, into configuration: inout Configuration, faults: FaultCollector) {
        // A file of comments, or of a lone '---', is one null.
        if tree.isNull { return }
        guard case .mapping(let entries) = tree.content else {
            return faults.add(line: tree.line, "a configuration is a mapping of keys, not \(tree.kind)")
        }
        let mapping = Mapping(entries, line: tree.line, path: .root, faults: faults)
        configuration.read(mapping)
        mapping.close()
    }
}
