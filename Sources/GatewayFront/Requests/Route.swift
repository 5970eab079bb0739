internal import AWSProtocol
internal import HTTPFront

/// The destination of a request, by its method and path.
enum Route {
    /// A call of an AWS operation.
    case call
    /// A call in another protocol of AWS, which is not spoken here.
    case cborCall
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
            self = head.method == .post && Self.isCBORCall(head, bytes, path) ? .cborCall : .notFound
        }
    }

    /// Returns true for `/service/NAME/operation/NAME` with `Smithy-Protocol: rpc-v2-cbor`
    /// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html). What precedes that path does not matter there.
    private static func isCBORCall(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ path: Range<Int>) -> Bool {
        let parts = Array(copying: bytes.extracting(path)).split(separator: UInt8(ascii: "/"))
        guard parts.count >= 4, parts[parts.count - 4].elementsEqual("service".utf8),
            parts[parts.count - 2].elementsEqual("operation".utf8)
        else { return false }
        for field in head.fields where bytes.isText("smithy-protocol", at: field.name) {
            return spells("rpc-v2-cbor", bytes, field.value)
        }
        return false
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
