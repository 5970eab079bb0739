/// Reads YAML, without its anchors, aliases, tags and keys that are not plain: a file of a kilobyte could stand for 2⁵⁰ values by them.
public enum YAMLText {
    /// Values inside values; a configuration has 5.
    static let maxDepth = 32
    /// Repeated keys that are told; nobody mends more by hand.
    static let maxRepeats = 32

    /// The only document of a file; nil if it is empty or cannot be read. The latter leaves a fault.
    ///
    /// - Parameter mebibytes: how large the file may be.
    public static func tree(of bytes: [UInt8], mebibytes: Int = 1, faults: FaultCollector) -> Tree? {
        if bytes.count <= mebibytes << 20, let tree = PlainYAML.tree(of: bytes) { return tree }
        return SourceText(bytes, mebibytes: mebibytes, faults: faults).flatMap { tree(of: $0, faults: faults) }
    }

    /// The file's only document; nil if it is empty or cannot be read. The latter leaves a fault.
    public static func tree(of source: SourceText, faults: FaultCollector) -> Tree? {
        do throws(YAMLSyntaxFault) {
            var reader = YAMLTree(source, parser: try YAMLParser(source.utf8), faults: faults)
            return try reader.document()
        } catch {
            faults.add(line: error.line, error.message)
            return nil
        }
    }
}
