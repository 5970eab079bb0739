/// The shapes of a model with a secret in them, at any depth. Found once for all, in time linear in the model's members.
struct SecretShapes {
    /// By a shape's name, the member that is one.
    private let tokens: [String: String]
    /// By a shape's name, the member that the model calls sensitive.
    private let sensitive: [String: String]
    private let model: ServiceModel

    init(_ model: ServiceModel) {
        self.model = model
        var (tokens, sensitive): ([String: String], [String: String]) = ([:], [:])
        for (name, shape) in model.shapes {
            if shape.isSensitive { sensitive[name] = name }
            for member in shape.members {
                if sensitive[name] == nil, member.isSensitive { sensitive[name] = member.name }
                if tokens[name] == nil, Self.isToken(member, model) { tokens[name] = member.name }
            }
        }
        let containment = Containment(model)
        self.tokens = containment.spread(tokens)
        self.sensitive = containment.spread(sensitive)
    }

    /// The member for which an operation's output is never kept; nil if it may be.
    func token(inOutputOf operation: ServiceModel.Operation) -> String? {
        if Secrecy.isToken(operation: operation.name) { return operation.name }
        // An operation that gets an address gets one to be used now.
        if operation.name.hasPrefix("Get"),
            let address = model.outputMembers(operation).first(where: { ["url", "uri"].contains($0.name.lowercased()) })
        {
            return address.name
        }
        return token(in: model.outputMembers(operation), operation.paginator?.outputTokens ?? [])
    }

    /// The member that makes an operation's input a secret: it stands in the page's key.
    func token(inInputOf operation: ServiceModel.Operation) -> String? {
        token(in: model.inputMembers(operation), operation.paginator?.inputTokens ?? [])
    }

    /// The member of an operation's output that the model calls sensitive.
    func sensitive(inOutputOf operation: ServiceModel.Operation) -> String? {
        operation.output.flatMap { sensitive[$0] }
    }

    /// The member of an operation's input that the model calls sensitive.
    func sensitive(inInputOf operation: ServiceModel.Operation) -> String? { operation.input.flatMap { sensitive[$0] } }

    /// Only at the top of an input or output do members continue a listing.
    private func token(in members: [ServiceModel.Member], _ tokens: Set<String>) -> String? {
        for member in members {
            if let inside = self.tokens[member.shape] { return inside }
            if Self.isToken(member, model), !member.isIdempotencyToken,
                !Secrecy.continuesListing(member.name, tokens)
            {
                return member.name
            }
        }
        return nil
    }

    private static func isToken(_ member: ServiceModel.Member, _ model: ServiceModel) -> Bool {
        Secrecy.isToken(
            member.name, holdsText: model.holdsText(member.shape), documentation: member.documentation)
    }
}

extension ServiceModel {
    /// Returns true if a value of a shape is a text, bytes, a document, or a list or map of these.
    fileprivate func holdsText(_ name: String) -> Bool {
        guard let shape = shapes[name] else { return false }
        switch shape.kind {
        case .string, .blob, .document: return true
        case .list, .map:
            // The last of a map's shapes is its values'.
            return shape.elements.last.flatMap { shapes[$0] }.map {
                switch $0.kind {
                case .string, .blob, .document: true
                default: false
                }
            } ?? false
        default: return false
        }
    }
}
