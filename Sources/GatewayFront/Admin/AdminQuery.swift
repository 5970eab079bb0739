internal import Gateway
internal import HTTPFront
internal import Primitives

/// Reads the query of an operator's order: names and values, each name at most once, percent-encoded where need be.
enum AdminQuery {
    struct Fault: Error { let message: String }

    /// `service=…&operation=…&domain=…&status=…&soft=true`, each of them optional.
    static func purge(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) throws(Fault) -> PurgeRequest {
        var request = PurgeRequest()
        for (name, value) in try pairs(head, bytes) {
            switch Key.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) }) {
            case .service: request.service = value
            case .operation: request.operation = value
            case .domain: request.domain = value
            case .status: request.status = value
            case .soft: request.isSoft = try flag(value)
            case nil: throw Fault(message: "There is service, operation, domain, status and soft, but no '\(name)'.")
            }
        }
        return request
    }

    /// The names and values of a query, each name once.
    static func pairs(
        _ head: borrowing RequestHead, _ bytes: Span<UInt8>
    ) throws(Fault) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        var seen: Set<[UInt8]> = []
        for pair in head.pathAndQuery(bytes).query.map({ bytes[$0] }).split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = decoded(parts[0]), let value = decoded(parts[1]) else {
                throw Fault(message: "The query must be NAME=VALUE&…, percent-encoded.")
            }
            guard seen.insert(Array(name.utf8)).inserted else { throw Fault(message: "'\(name)' is given twice.") }
            pairs.append((name, value))
        }
        return pairs
    }

    private enum Key: String, CaseIterable {
        case service, operation, domain, status, soft
    }

    private static func flag(_ value: String) throws(Fault) -> Bool {
        if value.utf8.elementsEqual("true".utf8) { return true }
        guard value.utf8.elementsEqual("false".utf8) else { throw Fault(message: "'soft' must be true or false.") }
        return false
    }

    /// `nil` for a broken escape, and for bytes that are not UTF-8.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String? {
        var value: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                value.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let high = high.hexDigitValue, let low = low.hexDigitValue
            else { return nil }
            value.append(high << 4 | low)
        }
        return String(validating: value, as: UTF8.self)
    }
}
