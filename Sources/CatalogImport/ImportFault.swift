public import StrictYAML

/// Why no catalog can be made.
public enum ImportFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The model, its paginators or the choice of operations; one sentence without the file's name.
    case model(String)
    /// The overlay, or the catalog that it is laid on; with files and lines.
    case files(FileFaults)

    public var description: String {
        switch self {
        case .model(let message): message
        case .files(let faults): "\(faults)"
        }
    }
}
