/// A name of operations in the configuration: `Operation` or `service:Operation`, each half a glob. Without a service it means the
/// operations of all services.
public struct OperationPattern: Sendable, Equatable {
    public let text: String
    private let service: Glob?
    private let operation: Glob

    public init(_ text: String) {
        self.text = text
        if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            service = Glob(String(text[..<colon]))
            operation = Glob(String(text[text.index(after: colon)...]))
        } else {
            service = nil
            operation = Glob(text)
        }
    }

    /// Returns true if it means an operation of a service.
    public func matches(service: [UInt8], operation: [UInt8]) -> Bool {
        (self.service?.matches(service) ?? true) && self.operation.matches(operation)
    }

    /// True if it means every operation of every service, those outside the catalogs included.
    var matchesAll: Bool { operation.matchesAll && service?.matchesAll ?? true }

    /// Where several match, the lowest goes first: a name before a pattern, one with a service before one without, the longer before
    /// the shorter, and then the first in the order of bytes.
    fileprivate var rank: (Int, Int, Int, String) {
        let isPattern = text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        return (isPattern ? 1 : 0, service == nil ? 1 : 0, -text.utf8.count, text)
    }
}

/// Values by names of operations. Of several names that match, the most exact one counts; see `OperationPattern`.
public struct OperationRules<Value: Sendable>: Sendable, ExpressibleByDictionaryLiteral {
    /// The most exact first.
    let patterns: [OperationPattern]
    let values: [Value]

    public init(_ values: [String: Value]) {
        let rules = values.map { (OperationPattern($0.key), $0.value) }.sorted { $0.0.rank < $1.0.rank }
        patterns = rules.map(\.0)
        self.values = rules.map(\.1)
    }

    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(Dictionary(elements) { first, _ in first })
    }

    /// The value of an operation; nil if none of the names means it.
    public func value(service: String, operation: String) -> Value? {
        if patterns.isEmpty { return nil }
        let (service, operation) = (Array(service.utf8), Array(operation.utf8))
        return patterns.firstIndex { $0.matches(service: service, operation: operation) }.map { values[$0] }
    }
}

extension OperationRules: Equatable where Value: Equatable {}
