internal import AWSProtocol
internal import HTTPFront
internal import Primitives

/// The destination of a request, by its method and path.
enum Route {
    case call
    /// A call in another protocol of AWS, which is not spoken here.
    case cborCall
    case metrics
    case health
    case readiness
    /// An order to purge pages, on the operator's listener.
    case purge
    case state
    /// The operator's page, and the events that it shows.
    case page
    case events
    /// An order to read the configuration anew, on the operator's listener.
    case reload
    /// An order for another rate of a quota group for a while, on the operator's listener.
    case override
    case notFound
    case methodNotAllowed(allowed: StaticString)

    init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        let path = head.pathAndQuery(bytes).path
        let isRead = head.method == .get || head.method == .head
        // A target in absolute form may have no path.
        if path.isEmpty || bytes.spells("/", at: path) {
            self = head.method == .post ? .call : isRead ? .page : .methodNotAllowed(allowed: "POST")
        } else if let route = Self.read.first(where: { bytes.spells($0.path, at: path) })?.route {
            self = isRead ? route : .methodNotAllowed(allowed: "GET, HEAD")
        } else if let route = Self.orders.first(where: { bytes.spells($0.path, at: path) })?.route {
            self = head.method == .post ? route : .methodNotAllowed(allowed: "POST")
        } else {
            self = head.method == .post && Self.isCBORCall(head, bytes, path) ? .cborCall : .notFound
        }
    }

    /// Returns true for `/service/NAME/operation/NAME` with `Smithy-Protocol: rpc-v2-cbor`
    /// (https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html). A prefix of that path does not matter there.
    private static func isCBORCall(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ path: Range<Int>) -> Bool {
        let parts = Array(copying: bytes.extracting(path)).split(separator: UInt8(ascii: "/"))
        guard parts.count >= 4, parts[parts.count - 4].elementsEqual("service".utf8),
            parts[parts.count - 2].elementsEqual("operation".utf8)
        else { return false }
        for field in head.fields where bytes.isText("smithy-protocol", at: field.name) {
            return bytes.spells("rpc-v2-cbor", at: field.value)
        }
        return false
    }

    private static let orders: [(path: StaticString, route: Route)] = [
        ("/purge", .purge), ("/reload", .reload), ("/override", .override),
    ]

    private static let read: [(path: StaticString, route: Route)] = [
        ("/metrics", .metrics), ("/healthz", .health), ("/readyz", .readiness), ("/state", .state),
        ("/events", .events),
    ]
}
