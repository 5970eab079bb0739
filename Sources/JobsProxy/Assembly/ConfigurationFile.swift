internal import Gateway
internal import HTTPFront
internal import Redis
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
        let faults = FaultCollector(file: path)
        let configuration = ConfigurationReader.read(try File.read(path), faults, catalog: catalogs.load)
        for secret in configuration.secrets {
            do throws(Problem) { _ = try secret.resolve(environment) } catch {
                faults.add(line: secret.line, key: secret.key, error.text)
            }
        }
        if let tls = configuration.listen.tls, !tls.certificate.isEmpty, !tls.key.isEmpty {
            do throws(TLSError) { try TLSSettings(tls).check() } catch {
                faults.add(line: tls.line, key: "listen.tls", "\(error)")
            }
        }
        if let shared = configuration.shared { check(shared, environment, faults) }
        if let faults = faults.sorted { throw CommandFailure("\(faults)") }
        return configuration
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

    private static func check(
        _ shared: Configuration.Shared, _ environment: [String: String], _ faults: FaultCollector
    ) {
        let least = Configuration.Shared.minimumKeyBytes
        if let key = shared.key, let secret = try? key.resolve(environment), secret.utf8.count < least {
            faults.add(
                line: key.line, key: key.key,
                "the secret is too short: it needs \(least) bytes, such as those of openssl rand -hex 32")
        }
        do throws(RedisSettingsFault) { try (try shared.client(password: nil)).tls?.check() } catch {
            // A fault of the URL was told before.
            if shared.caBundle != nil || shared.certificate != nil {
                faults.add(line: shared.line, key: "shared", "\(error)")
            }
        }
    }
}
