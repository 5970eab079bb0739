internal import AWSProtocol
internal import Gateway

extension CatalogDraft {
    /// The careful choice for each operation of a model.
    ///
    /// - Parameters:
    ///   - chosen: the operations to keep, by name or pattern; empty for all.
    ///   - validation: how much of inputs the catalog is to judge.
    /// - Throws: `ImportFault` if a pattern matches no operation.
    init(_ model: ServiceModel, operations chosen: [String], validation: Catalog.Validation) throws(ImportFault) {
        let globs = chosen.map { (text: $0, glob: Glob($0)) }
        for (text, glob) in globs where !model.operations.contains(where: { glob.matches(Array($0.name.utf8)) }) {
            throw .model("'\(text)' matches none of the model's \(model.operations.count) operations")
        }
        var model = model
        // Before operations are left out: those too may change what belongs to a parent.
        let parent = ParentMember.of(model)
        if !globs.isEmpty {
            model.operations.removeAll { operation in
                !globs.contains { $0.glob.matches(Array(operation.name.utf8)) }
            }
        }
        let secrets = SecretShapes(model)
        let estimates = EstimateShapes(model)
        let used = DraftShapes(model, validation)
        heading = Self.heading(model)
        head = [
            ("name", model.name), ("signingName", model.signingName), ("targetPrefix", model.targetPrefix),
            ("errorNamespace", "com.amazonaws.\(model.signingName)"), ("protocol", model.json.rawValue),
            ("validation", validation.rawValue),
        ]
        if model.isQueryCompatible { head.append(("queryCompatible", "true")) }
        queryErrors = model.isQueryCompatible ? Self.queryErrors(model) : []
        groups = [Group(name: "default", rate: "2")]
        final = []
        operations = model.operations.map { DraftOperation($0, model, secrets, estimates, used, parent: parent) }
        shapes = used.texts
    }

    private static func heading(_ model: ServiceModel) -> [String] {
        let version = model.version.map { " (\($0))" } ?? ""
        return [
            "Made from a service model\(version) by 'jobs-proxy catalog import'. Quotas are not in a model: an overlay",
            "adds them, and whatever else is known of the service.",
        ]
    }

    /// The values of `x-amzn-query-error`.
    private static func queryErrors(_ model: ServiceModel) -> [(name: String, code: String)] {
        model.shapes.compactMap { name, shape in
            guard let code = shape.queryError, let word = code.split(separator: ";").first.map(String.init),
                ErrorCode.sanitized(word) == word
            else { return nil }
            return (DraftShapes.local(name), code)
        }.sorted { $0.name < $1.name }
    }
}

extension DraftOperation {
    fileprivate init(
        _ operation: ServiceModel.Operation, _ model: ServiceModel, _ secrets: SecretShapes,
        _ estimates: EstimateShapes, _ used: DraftShapes, parent: String?
    ) {
        name = operation.name
        input = model.inputMembers(operation).map { member in
            Member(
                name: member.name, reference: used.name(of: member.shape) + (member.isRequired ? "!" : ""),
                isString: model.isString(member.shape), isInteger: model.isInteger(member.shape),
                values: model.shapes[member.shape]?.values ?? [])
        }
        isStream = model.outputMembers(operation).contains { model.shapes[$0.shape]?.isStream == true }
        hostPrefix = operation.hostPrefix
        isUnsigned = operation.isUnsigned
        let token = secrets.token(inOutputOf: operation) ?? secrets.token(inInputOf: operation)
        let sensitive = secrets.sensitive(inOutputOf: operation)
        secret = token ?? sensitive
        switch OperationVerb(operation) {
        case .changes: kind = .write
        case .looks: kind = .live
        case .reads where secret != nil || isStream || operation.isUnsigned: kind = .live
        case .reads where estimates.figure(inOutputOf: operation) != nil: kind = .live
        case .reads: kind = operation.paginator == nil ? .read : .page
        }
        // Nothing of a write is kept.
        isSensitive = kind != .write && (secret != nil || secrets.sensitive(inInputOf: operation) != nil)
        if let parent, let member = member(parent), member.isRequired, member.isString { domain = parent }
        switch kind {
        case .page, .read:
            let pageTokens = operation.paginator?.inputTokens ?? []
            self.token = kind == .page ? input.first { pageTokens.contains($0.name) && $0.isString }?.name : nil
            if kind == .page { status = statusMember }
            defaults = pageSizes(model.inputMembers(operation), model, operation.paginator?.limit)
        case .write:
            idempotency = idempotencyMember(model.inputMembers(operation))
        case .live: break
        }
    }

    /// The member that filters a listing by the state of what is listed; nil without one, or with several.
    private var statusMember: String? {
        let found = input.filter { member in
            let words = Words(member.name).all
            guard member.isString, !member.values.isEmpty, !words.contains("sort"), !words.contains("order") else {
                return false
            }
            return words.contains("status") || words.contains("state")
        }
        return found.count == 1 ? found.first?.name : nil
    }

    private func idempotencyMember(_ members: [ServiceModel.Member]) -> String? {
        let names = ["clienttoken", "clientrequesttoken", "idempotencytoken"]
        // Both are in the same order.
        let strings = zip(members, input).filter { $1.isString }.map(\.0)
        return
            (strings.first { $0.isIdempotencyToken }
            ?? strings.first {
                names.contains($0.name.lowercased()) && $0.documentation.lowercased().contains("idempoten")
            })?.name
    }

    /// The page size's default, if its documentation states one that the model allows.
    private func pageSizes(
        _ members: [ServiceModel.Member], _ model: ServiceModel, _ limit: String?
    ) -> [(member: String, value: Int64)] {
        members.compactMap { member in
            guard member.name == limit || Self.pageSizes.contains(member.name.lowercased()), !member.isRequired,
                let shape = model.shapes[member.shape], case .integer = shape.kind,
                let value = DocumentedDefault.pageSize(member.documentation),
                value >= shape.minimum ?? 1, value <= shape.maximum ?? .max
            else { return nil }
            return (member.name, value)
        }
    }

    private static let pageSizes: Set<String> = ["maxresults", "limit", "pagesize", "maxitems", "maxrecords"]
}
