internal import BuiltInCatalogs
internal import Gateway
internal import Glibc

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
            do throws(Complaint) { _ = try secret.resolve(environment) } catch {
                faults.add(line: secret.line, key: secret.key, error.text)
            }
        }
        if let faults = faults.sorted { throw CommandFailure("\(faults)") }
        for service in configuration.services {
            let catalog = try CatalogFile.load(service.catalog)
            for group in service.quotas.keys.sorted() where !catalog.quotaGroups.contains(where: { $0.name == group }) {
                let known = catalog.quotaGroups.map(\.name).joined(separator: ", ")
                throw CommandFailure(
                    "\(path):1: services.quotas: catalog '\(service.catalog)' has no quota group '\(group)'; it has \(known)"
                )
            }
        }
        return configuration
    }
}

/// Finds catalogs.
enum CatalogFile {
    /// The built-in catalog of that name, or the one in the file of that path.
    ///
    /// - Throws: `CommandFailure`.
    static func load(_ name: String) throws(CommandFailure) -> Catalog {
        let bytes: [UInt8]
        if let builtIn = BuiltInCatalogs.bytes(named: name) { bytes = builtIn } else { bytes = try File.read(name) }
        do throws(CatalogError) {
            return try Catalog(yaml: bytes)
        } catch {
            throw CommandFailure("\(name):\(error.line): \(error.message)")
        }
    }
}

/// Files that are read whole.
enum File {
    /// The bytes of a file.
    ///
    /// - Throws: `CommandFailure`, also for a file that is larger than `limit`.
    static func read(_ path: String, atMost limit: Int = 16 << 20) throws(CommandFailure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CommandFailure("\(path): cannot be opened: \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            guard count > 0 else {
                throw CommandFailure("\(path): cannot be read: \(unsafe String(cString: strerror(errno)))")
            }
            bytes += chunk[..<count]
        }
        throw CommandFailure("\(path): is larger than \(limit) bytes")
    }

    /// Makes a file of these bytes, in the place of one that is there.
    ///
    /// - Throws: `CommandFailure`.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure("\(path): cannot be written: \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        guard write(bytes, to: descriptor) else {
            throw CommandFailure("\(path): cannot be written: \(unsafe String(cString: strerror(errno)))")
        }
    }

    /// Writes all of the bytes.
    ///
    /// - Returns: whether it could; `errno` has the reason if not.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
