/// The kind of work that an operation's name and documentation tell.
enum OperationVerb {
    /// It reads, and an answer is true for a while.
    case reads
    /// It reads, and an answer is true for its moment: a search, a count, records of a stream.
    case looks
    /// It may change something.
    case changes

    init(_ operation: ServiceModel.Operation) {
        var words = Words(operation.name).all[...]
        // `BatchGet…`, `AdminGet…` and `TransactGet…` are done to several things, or by an administrator.
        if let first = words.first, ["batch", "admin", "transact"].contains(first) { words = words.dropFirst() }
        switch words.first {
        case _ where Self.isCheckInOrOut(words) || Self.makesSomething(operation.documentation): self = .changes
        case _ where Self.data.contains(operation.name) || Self.isHistory(words): self = .looks
        case let verb? where Self.reading.contains(verb): self = .reads
        case let verb? where Self.looking.contains(verb): self = .looks
        default: self = operation.isReadOnly ? .looks : .changes
        }
    }

    private static let reading: Set<String> = ["list", "describe", "get"]
    private static let looking: Set<String> = [
        "query", "scan", "search", "filter", "lookup", "select", "is", "detect", "count", "check", "estimate",
        "simulate",
        "preview", "poll", "receive",
    ]
    /// Reads of data, not of what the service's operations set up.
    private static let data: Set<String> = [
        "GetRecords", "GetLogEvents", "GetItem", "BatchGetItem", "TransactGetItems", "GetMedia", "GetMetricData",
        "GetMetricStatistics", "GetQueryResults", "GetEventPrediction",
    ]

    /// Returns true for the history of one thing, which grows by what others do: `GetExecutionHistory`.
    private static func isHistory(_ words: ArraySlice<String>) -> Bool {
        words.first == "get" && words.last == "history"
    }

    /// Returns true for `CheckIn…` and `CheckOut…`, which check nothing.
    private static func isCheckInOrOut(_ words: ArraySlice<String>) -> Bool {
        words.first == "check" && ["in", "out"].contains(words.dropFirst().first)
    }

    /// Returns true if the documentation begins by saying that an operation makes something, whatever its name: `GetId` "generates (or
    /// retrieves)" an identity.
    private static func makesSomething(_ documentation: String) -> Bool {
        let text = DocumentedDefault.text(ofHTML: String(documentation.prefix(200)))
        let words = text.lowercased().split { !$0.isLetter }.prefix(2)
        return words.first == "registers" || words.first == "starts" || words.elementsEqual(["generates", "or"])
    }
}
