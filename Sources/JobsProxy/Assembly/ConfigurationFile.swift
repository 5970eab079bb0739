internal import Gateway
internal import Primitives
internal import StrictYAML

/// Reads the configuration and what it refers to: secrets, certificates, catalogs.
enum ConfigurationFile {
    /// The configuration in a file; the defaults without one.
    ///
    /// - Parameter catalogs: gets the services' catalogs.
    /// - Throws: `CommandFailure` with every fault, a line each.
    static func load(
        _ path: String?, catalogs: CatalogStore = CatalogStore(), environment: [String: String] = Process.environment
    ) throws(CommandFailure) -> Configuration {
        guard let path else { return Configuration() }
        let (configuration, faults) = try read(path, catalogs: catalogs, environment: environment)
        if let faults = faults.sorted { throw CommandFailure("\(faults)") }
        return configuration
    }

    /// The configuration in a file, and what is wrong with it.
    ///
    /// - Throws: `CommandFailure` if the file cannot be read.
    static func read(
        _ path: String, catalogs: CatalogStore, environment: [String: String]
    ) throws(CommandFailure) -> (configuration: Configuration, faults: FaultCollector) {
        let faults = FaultCollector(file: path)
        let configuration = ConfigurationReader.read(try File.read(path), faults, catalog: catalogs.load)
        configuration.readReferences(environment, faults, now: Process.wallClock())
        return (configuration, faults)
    }

    /// The configuration in a file. What it refers to is not read, but for the catalogs.
    ///
    /// - Throws: `CommandFailure` with every fault, a line each.
    static func parse(_ path: String, catalogs: CatalogStore) throws(CommandFailure) -> Configuration {
        let faults = FaultCollector(file: path)
        let configuration = ConfigurationReader.read(try File.read(path), faults, catalog: catalogs.load)
        if let faults = faults.sorted { throw CommandFailure("\(faults)") }
        return configuration
    }
}
