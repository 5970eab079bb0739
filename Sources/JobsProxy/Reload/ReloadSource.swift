internal import Logging
internal import StrictYAML

/// Where the configuration comes from, and what of the process follows it.
struct ReloadSource: Sendable {
    /// Reads the configuration anew, with all that it refers to.
    var load: @Sendable () throws(CommandFailure) -> Configuration
    /// The file; `nil` if there is none to be looked at.
    var path: String?
    /// Has the log follow its section.
    var use: @Sendable (Configuration.Log) -> Void = { _ in }
    /// Called around each reload, for who has started the process.
    var notify: @Sendable (_ isReloading: Bool) -> Void = { _ in }

    init(path: String?, load: @escaping @Sendable () throws(CommandFailure) -> Configuration) {
        (self.path, self.load) = (path, load)
    }

    /// The files that the file names for secrets, as far as it can be read. Empty without a file.
    var secretFiles: [String] {
        guard let path, let bytes = try? File.read(path) else { return [] }
        return ConfigurationReader.read(bytes, FaultCollector(file: path)).secrets.compactMap { secret in
            if case .file(let path) = secret.place { path } else { nil }
        }
    }
}
