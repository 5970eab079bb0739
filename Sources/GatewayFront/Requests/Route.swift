internal import HTTPFront

/// The destination of a request, by its method and path.
enum Route {
    /// A call of an AWS operation.
    case call
    case metrics
    case health
    case readiness
    /// An order to purge pages, on the operator's listener.
    case purge
    /// The gateway's state, on the operator's listener.
    case state
    case notFound
    case methodNotAllowed(allowed: StaticString)

    init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        var path = head.path
        // An absolute-form target may have no path; a query is ignored.
        for index in path where bytes[index] == UInt8(ascii: "?") {
            path = path.lowerBound..<index
            break
        }
        let isRead = head.method == .get || head.method == .head
        if path.isEmpty || Self.spells("/", bytes, path) {
            self = head.method == .post ? .call : .methodNotAllowed(allowed: "POST")
        } else if Self.spells("/metrics", bytes, path) {
            self = isRead ? .metrics : .methodNotAllowed(allowed: "GET, HEAD")
        } else if Self.spells("/healthz", bytes, path) {
            self = isRead ? .health : .methodNotAllowed(allowed: "GET, HEAD")
        } else if Self.spells("/readyz", bytes, path) {
            self = isRead ? .readiness : .methodNotAllowed(allowed: "GET, HEAD")
        } else if Self.spells("/purge", bytes, path) {
            self = head.method == .post ? .purge : .methodNotAllowed(allowed: "POST")
        } else if Self.spells("/state", bytes, path) {
            self = isRead ? .state : .methodNotAllowed(allowed: "GET, HEAD")
        } else {
            self = .notFound
        }
    }

    private static func spells(_ text: StaticString, _ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        // Unsafe only in its pointer; the offset lies inside the literal.
        for offset in 0..<range.count where unsafe bytes[range.lowerBound + offset] != text.utf8Start[offset] {
            return false
        }
        return true
    }
}
