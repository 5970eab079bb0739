internal import AWSProtocol
public import Gateway
internal import StrictYAML

/// Makes catalogs: of the models that AWS publishes, and of catalogs with overlays laid on them.
///
/// A model does not say all that a catalog does: quotas are published elsewhere, and what pages belong to takes knowledge of the
/// service. The importer makes the careful choice, and an overlay makes it better. No file is opened here.
public struct CatalogImporter: Sendable {
    /// A file's name, for faults, and its content.
    public struct File: Sendable {
        public var name: String
        public var bytes: [UInt8]

        public init(name: String, bytes: [UInt8]) {
            (self.name, self.bytes) = (name, bytes)
        }
    }

    /// How much of inputs the catalog is to judge: types, because models lack values that services take.
    public var validation = Catalog.Validation.types
    /// The operations to keep, by name or pattern such as `List*`; empty for those that the overlay names, or all.
    public var operations: [String] = []
    /// botocore's `paginators-1.json`, packed or not; a Smithy model has its own.
    public var paginators: [UInt8]?
    public var overlay: File?

    public init() {}

    /// How large a model or a catalog may be, packed or not, in bytes; the largest model has 4 MiB.
    public static let maxModelBytes = ServiceModel.maxBytes

    /// The catalog of a service's model: `service-2.json` of the older SDKs or the JSON syntax tree of Smithy, packed by gzip or not.
    ///
    /// - Throws: `ImportFault` if it is no model of an awsJson service, if a name is not the model's, or if an overlay keeps what
    ///   must not be kept.
    public func catalog(ofModel model: [UInt8]) throws(ImportFault) -> String {
        let model = try ServiceModel(model, paginators: paginators)
        return try laid(known: Set(model.operations.map(\.name))) { overlay throws(ImportFault) in
            let chosen = operations.isEmpty ? overlay?.operations.map(\.value) ?? [] : operations
            return try CatalogDraft(model, operations: chosen, validation: validation)
        }
    }

    /// A catalog with the overlay laid on it.
    ///
    /// - Throws: `ImportFault` as for a model. A catalog does not say why an operation is `live`: what is `sensitive` stays so.
    public func catalog(ofCatalog catalog: File) throws(ImportFault) -> String {
        let faults = FaultCollector(file: catalog.name)
        guard let draft = CatalogDraft(catalog: catalog.bytes, faults: faults) else {
            throw Self.fault(faults) ?? .model("is no catalog")
        }
        if let fault = Self.fault(faults) { throw fault }
        return try laid(known: Set(draft.operations.map(\.name))) { overlay in
            let chosen = (operations.isEmpty ? overlay?.operations.map(\.value) ?? [] : operations).map { Glob($0) }
            guard !chosen.isEmpty else { return draft }
            var draft = draft
            draft.operations.removeAll { operation in !chosen.contains { $0.matches(Array(operation.name.utf8)) } }
            return draft
        }
    }

    /// Returns true if a file is a model, not a catalog: JSON, or packed.
    public static func isModel(_ bytes: [UInt8]) -> Bool {
        Gzip.isPacked(bytes) || bytes.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
    }

    private func laid(
        known: Set<String>, _ make: (Overlay?) throws(ImportFault) -> CatalogDraft
    ) throws(ImportFault) -> String {
        guard let overlay else {
            var draft = try make(nil)
            draft.chooseInvalidations()
            return try Self.checked(draft)
        }
        let faults = FaultCollector(file: overlay.name)
        let read = Overlay(overlay.bytes, faults: faults)
        for word in read?.operations ?? [] where !known.contains(where: { Glob(word.value).matches(Array($0.utf8)) }) {
            faults.add(line: word.line, key: "operations", "\(word.value.quoted) matches no operation of the model")
        }
        if let fault = Self.fault(faults) { throw fault }
        var draft = try make(read)
        if let read { draft.apply(read, known: known, faults: faults) }
        if let fault = Self.fault(faults) { throw fault }
        draft.chooseInvalidations()
        return try Self.checked(draft)
    }

    /// Only a catalog that can be read leaves the importer.
    private static func checked(_ draft: CatalogDraft) throws(ImportFault) -> String {
        let text = draft.yaml
        do throws(CatalogError) {
            _ = try Catalog(yaml: Array(text.utf8))
            return text
        } catch {
            throw .model("makes no catalog that can be read: \(error)")
        }
    }

    private static func fault(_ faults: FaultCollector) -> ImportFault? { faults.sorted.map(ImportFault.files) }
}
