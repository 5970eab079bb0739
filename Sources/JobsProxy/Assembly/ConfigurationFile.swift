internal import Gateway
internal import HTTPFront
internal import StrictYAML

/// Reads the configuration, whole.
enum ConfigurationFile {
    /// The configuration in a file; the defaults without one.
    ///
    /// - Throws: `CommandFailure` with every fault, a line each.
    static func load(
        _ path: String?, environment: [String: String] = Process.environment
    ) throws(CommandFailure) -> Configuration {
        guard let path else { return Configuration() }
        let configuration: Configuration
        switch ConfigurationReader.read(try File.read(path), file: path) {
        case .success(let read): configuration = read
        case .failure(let faults): throw CommandFailure("\(faults)")
        }
        let faults = FaultCollector(file: path)
        for secret in configuration.secrets {
            do throws(Problem) { _ = try secret.resolve(environment) } catch {
                faults.add(line: secret.line, key: secret.key, error.text)
            }
        }
        if let tls = configuration.listen.tls {
            do throws(TLSError) { try TLSSettings(tls).check() } catch {
                faults.add(line: tls.line, key: "listen.tls", "\(error)")
            }
        }
        if let faults = faults.sorted { throw CommandFailure("\(faults)") }
        for service in configuration.services {
            let catalog = try CatalogFile.load(service.catalog)
            for group in service.quotas.keys.sorted() where !catalog.quotaGroups.contains(where: { $0.name == group }) {
                let known = catalog.quotaGroups.map(\.name).joined(separator: ", ")
                throw CommandFailure(
                    "\(path):1: services.quotas: catalog '\(service.catalog.name)' has no quota group '\(group)'; it has \(known)"
                )
            }
        }
        return configuration
    }
}
