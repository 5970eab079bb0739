internal import Gateway

/// A catalog while it is made: from a model, or from a catalog on which an overlay is laid.
struct CatalogDraft {
    /// Comment lines at the top.
    var heading: [String]
    /// The keys before the quotas, in their order.
    var head: [(key: String, value: String)]
    /// By the names of error shapes: `CODE;Sender` or `CODE;Receiver`.
    var queryErrors: [(name: String, code: String)]
    var groups: [Group]
    /// By a status member, the values after which what is listed changes no more.
    var final: [(member: String, values: [String])]
    /// In the order of their names.
    var operations: [DraftOperation]
    /// In the order of their names, each as the text after its name.
    var shapes: [(name: String, text: String)]

    /// A quota group with the texts of its figures.
    struct Group {
        var name: String
        var rate: String
        var burst: String?
        var source: String?
    }
}

/// An operation of a draft.
struct DraftOperation {
    struct Member {
        var name: String
        /// The shape's name, with `!` if the member is required.
        var reference: String
        var isString: Bool
        var isInteger: Bool
        /// Of an enumeration.
        var values: [String] = []

        var isRequired: Bool { reference.hasSuffix("!") }
    }

    var name: String
    var kind: Operation.Kind
    /// The member for which an answer is never kept, whatever an overlay says.
    var secret: String?
    var quota = "default"
    var domain: String?
    var resource: String?
    var status: String?
    var token: String?
    var idempotency: String?
    /// Nil: to be chosen by the parents of pages.
    var invalidates: [String]?
    var defaults: [(member: String, value: Int64)] = []
    var tokenLife: String?
    var ttl: String?
    var timeout: String?
    var hostPrefix: String?
    var isSensitive = false
    var isUnsigned = false
    var isStream = false
    /// In the order of their names.
    var input: [Member] = []

    func member(_ name: String) -> Member? { input.first { $0.name.utf8.elementsEqual(name.utf8) } }
}

extension CatalogDraft {
    /// Chooses the pages that writes make void, which follow from the rest.
    ///
    /// A page must not outlive a write that may change it. Pages with a parent are made void by each write that names the parent, and by
    /// every write that does not; pages without one by each write.
    mutating func chooseInvalidations() {
        let parents = Set(operations.compactMap { $0.kind.isCached ? $0.domain : nil })
        for place in operations.indices where operations[place].invalidates == nil {
            let operation = operations[place]
            guard operation.kind == .write else {
                operations[place].invalidates = []
                continue
            }
            if parents.isEmpty {
                operations[place].invalidates = ["service"]
            } else if let parent = operation.namedParent(parents) {
                operations[place].domain = parent
                operations[place].invalidates = ["domain", "service"]
            } else {
                operations[place].invalidates = ["all"]
            }
        }
    }
}

extension DraftOperation {
    /// The parent to whose pages a write is confined; nil if it may change other pages too.
    fileprivate func namedParent(_ parents: Set<String>) -> String? {
        guard parents.count == 1, let parent = parents.first, let member = member(parent), member.isRequired,
            member.isString
        else { return nil }
        // Another member of the same kind names a second parent, as where something is moved.
        let others = input.filter { $0.name != parent && Words($0.name).all.suffix(2) == Words(parent).all.suffix(2) }
        return others.isEmpty ? parent : nil
    }
}
