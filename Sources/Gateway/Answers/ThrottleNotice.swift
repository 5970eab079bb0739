internal import AWSProtocol
internal import RateLimiter

/// A pre-rendered `ThrottlingException`; only the delay is filled in per request. A refused request must not cost more than one
/// that is served.
public final class ThrottleNotice: Sendable {
    static let status = 400

    /// The limit.
    public let scope: ThrottleScope
    /// A word on the cause for the log.
    public let detail: String
    /// The body up to the milliseconds that it names, and what follows them.
    public let bodyStart: [UInt8]
    public let bodyEnd: [UInt8]
    private let namespace: String
    private let limit: String

    /// - Parameter limit: which limit it is, and its rate, as a main clause.
    init(_ scope: ThrottleScope, _ limit: String, _ catalog: Catalog) {
        self.scope = scope
        self.limit = limit
        detail = "throttled-\(scope.rawValue)"
        namespace = catalog.errorNamespace
        let body = Self.error(namespace, limit, milliseconds: 0).body(catalog.version)
        bodyEnd = Array(" ms.\"}".utf8)
        bodyStart = Array(body.dropLast(bodyEnd.count + 1))
    }

    /// The error as a whole.
    ///
    /// - Parameter retryAfter: nanoseconds.
    func error(retryAfter: Int64) -> ServiceError {
        Self.error(namespace, limit, milliseconds: Self.milliseconds(retryAfter))
    }

    /// A time to wait in whole milliseconds, rounded up, at least 1.
    public static func milliseconds(_ nanoseconds: Int64) -> Int64 {
        max(1, nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0))
    }

    /// A quota's rate for a message, for which two decimals are enough: `2 requests a second`, or `1 request in 250 seconds`
    /// for less than one in a hundred.
    static func rate(_ quota: Quota) -> String {
        let seconds = Double(max(1, quota.interval)) / 1e9
        let hundredths = Int64((100 / seconds).rounded())
        if seconds > 100 { return "1 request in \(Int64(seconds.rounded())) seconds" }
        if hundredths == 100 { return "1 request a second" }
        let (whole, fraction) = hundredths.quotientAndRemainder(dividingBy: 100)
        let decimals =
            fraction == 0
            ? "" : fraction % 10 == 0 ? ".\(fraction / 10)" : fraction < 10 ? ".0\(fraction)" : ".\(fraction)"
        return "\(whole)\(decimals) requests a second"
    }

    private static func error(_ namespace: String, _ limit: String, milliseconds: Int64) -> ServiceError {
        ServiceError(
            status: status, namespace: namespace, code: "ThrottlingException",
            message: "Rate exceeded: \(limit). Try again in \(milliseconds) ms.")
    }
}

extension ThrottleNotice: Equatable {
    public static func == (left: ThrottleNotice, right: ThrottleNotice) -> Bool {
        left.scope == right.scope && left.bodyStart == right.bodyStart
    }
}
