internal import HTTPFront

/// Where a request goes, by its method and path.
enum Route {
    /// A call of an AWS operation.
    case call
    case metrics
    case health
    case readiness
    /// An order to purge pages, on the operator's listener.
    case purge
    case notFound
    case methodNotAllowed(allowed: StaticString)

    init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        var path = head.path
        // An absolute-form target may have no path; a query means nothing here.
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

/// What a client says of itself in its signature, before anybody has verified it.
enum CredentialScope {
    /// The Region in `Authorization: … Credential=KEY/DATE/REGION/SERVICE/aws4_request`; empty if there is none.
    ///
    /// AWS Signature Version 4 (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
    static func region(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int> {
        guard let value = head[.authorization] else { return 0..<0 }
        let name = Array("Credential=".utf8)
        var start = value.lowerBound
        while start + name.count <= value.upperBound {
            var offset = 0
            while offset < name.count, bytes[start + offset] == name[offset] { offset += 1 }
            if offset == name.count { break }
            start += 1
        }
        guard start + name.count <= value.upperBound else { return 0..<0 }
        var slashes = 0
        var from = 0
        for index in start + name.count..<value.upperBound {
            if bytes[index] == UInt8(ascii: ",") || bytes[index] == UInt8(ascii: " ") { break }
            guard bytes[index] == UInt8(ascii: "/") else { continue }
            slashes += 1
            if slashes == 2 { from = index + 1 }
            if slashes == 3 { return from..<index }
        }
        return 0..<0
    }
}
