internal import BuiltInCatalogs
internal import CatalogImport
internal import Gateway
internal import Locking

/// The catalogs that were loaded: equal sources share one. A catalog is read once in the life of the process.
final class CatalogStore: Sendable {
    private struct Loaded {
        let catalog: Catalog
        /// That of its files when they were read.
        let digest: Int?
    }

    private let catalogs = Locked<[[UInt8]: Loaded]>([:])

    /// - Throws: `CommandFailure`.
    func load(_ source: Configuration.ServiceEntry.CatalogSource) throws(CommandFailure) -> Catalog {
        if let known = catalogs.withLock({ $0[source.bytes] }) { return known.catalog }
        // Before the catalog is read, so that a later change is noticed.
        let digest = CatalogFile.digest(source)
        let catalog = try CatalogFile.load(source)
        catalogs.withLock { $0[source.bytes] = Loaded(catalog: catalog, digest: digest) }
        return catalog
    }

    /// Returns true if the files of a catalog that was loaded hold something else now, or cannot be read any more. Reads them.
    func isEdited(_ source: Configuration.ServiceEntry.CatalogSource) -> Bool {
        guard let known = catalogs.withLock({ $0[source.bytes] }) else { return false }
        return CatalogFile.digest(source) != known.digest
    }
}

/// Finds catalogs.
enum CatalogFile {
    /// The built-in catalog of that name, or the one in the file of that path.
    ///
    /// - Throws: `CommandFailure`.
    static func load(_ name: String) throws(CommandFailure) -> Catalog {
        try load(Configuration.ServiceEntry.CatalogSource(name: name))
    }

    /// The catalog of a source: built in, of a file or of a model, with its overlay laid on it.
    ///
    /// - Throws: `CommandFailure`.
    static func load(_ source: Configuration.ServiceEntry.CatalogSource) throws(CommandFailure) -> Catalog {
        let name = source.name
        var bytes = try bytes(named: name)
        if source.overlay != nil || CatalogImporter.isModel(bytes) {
            bytes = Array(try text(named: name, bytes, overlay: source.overlay).utf8)
        }
        do throws(CatalogError) {
            return try Catalog(yaml: bytes)
        } catch {
            throw CommandFailure("\(name):\(error.line): \(error.message)")
        }
    }

    /// A number that tells one content of a source's files from another, within this process; `nil` if one of them cannot be read.
    static func digest(_ source: Configuration.ServiceEntry.CatalogSource) -> Int? {
        do throws(CommandFailure) {
            var hasher = Hasher()
            if BuiltInCatalogs.bytes(named: source.name) == nil {
                let bytes = try bytes(named: source.name)
                hasher.combine(bytes)
                if CatalogImporter.isModel(bytes) { hasher.combine(try paginators(beside: source.name)) }
            }
            if let overlay = source.overlay { hasher.combine(try File.read(overlay)) }
            return hasher.finalize()
        } catch {
            return nil
        }
    }

    /// The bytes of the built-in catalog of that name, or of the file of that path.
    private static func bytes(named name: String) throws(CommandFailure) -> [UInt8] {
        if let builtIn = BuiltInCatalogs.bytes(named: name) { return builtIn }
        do throws(CommandFailure) {
            return try File.read(name, atMost: CatalogImporter.maxModelBytes)
        } catch {
            // A bare word is meant for a name.
            guard !name.contains("/"), !name.contains(".") else { throw error }
            throw CommandFailure(
                "there is no built-in catalog '\(name)', nor a file of that name; there are "
                    + BuiltInCatalogs.names.joined(separator: ", "))
        }
    }

    private static func text(
        named name: String, _ bytes: [UInt8], overlay: String?
    ) throws(CommandFailure) -> String {
        var importer = CatalogImporter()
        importer.overlay = try overlay.map { path throws(CommandFailure) in
            CatalogImporter.File(name: path, bytes: try File.read(path))
        }
        if CatalogImporter.isModel(bytes) { importer.paginators = try paginators(beside: name) }
        return try text(named: name, bytes, importer)
    }

    /// The text of a catalog that is made of a model or another catalog.
    ///
    /// - Throws: `CommandFailure`.
    static func text(
        named name: String, _ bytes: [UInt8], _ importer: CatalogImporter
    ) throws(CommandFailure) -> String {
        do throws(ImportFault) {
            guard CatalogImporter.isModel(bytes) else {
                return try importer.catalog(ofCatalog: CatalogImporter.File(name: name, bytes: bytes))
            }
            return try importer.catalog(ofModel: bytes)
        } catch {
            switch error {
            case .model(let message): throw CommandFailure("\(name): \(message)")
            case .files(let faults): throw CommandFailure("\(faults)")
            }
        }
    }

    /// The paginators beside a model, as botocore has them; nil if there are none.
    static func paginators(beside model: String) throws(CommandFailure) -> [UInt8]? {
        let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? ""
        for name in ["paginators-1.json", "paginators-1.json.gz"] where File.exists(folder + name) {
            return try File.read(folder + name)
        }
        return nil
    }
}
