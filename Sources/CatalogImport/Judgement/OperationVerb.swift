/// What an operation's name says of it.
enum OperationVerb {
    /// It reads, and an answer is true for a while.
    case reads
    /// It reads, and an answer is true for its moment: a search, a count, records of a stream.
    case looks
    /// It may change something.
    case changes

    /// - Parameter isReadOnly: the model says that it only reads.
    init(_ operation: String, isReadOnly: Bool) {
        var words = Words(operation).all[...]
        // `BatchGet…`, `AdminGet…` and `TransactGet…` are done to several things, or by an administrator.
        if let first = words.first, ["batch", "admin", "transact"].contains(first) { words = words.dropFirst() }
        switch words.first {
        case _ where Self.data.contains(operation): self = .looks
        case let verb? where Self.reading.contains(verb): self = .reads
        case let verb? where Self.looking.contains(verb): self = .looks
        default: self = isReadOnly ? .looks : .changes
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
}
