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
            switch tree.content {
            case .mapping(let entries):
                let mapping = Mapping(entries, line: tree.line, path: .root, faults: faults)
                configuration.read(mapping)
                mapping.close()
            // A file of comments, or of a lone '---'.
            case _ where tree.isNull: break
            default: faults.add(line: tree.line, "a configuration is a mapping of keys, not \(tree.kind)")
            }
        }
        return faults.sorted.map(Result.failure) ?? .success(configuration)
    }
}
