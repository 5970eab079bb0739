/// A reply that is kept: its bytes, how long it may be used, and what would make it void. It never changes.
public final class Page: Sendable {
    /// How long a page may be used, in nanoseconds. Freshness counts from the fetch, the other two from its end.
    public struct Lifetime: Sendable, Equatable {
        /// Served without a question.
        public var fresh: Int64
        /// Served while it is being refreshed (RFC 5861, section 3).
        public var staleWhileRevalidate: Int64
        /// Served when it cannot be refreshed (RFC 5861, section 4).
        public var staleIfError: Int64

        public init(fresh: Int64, staleWhileRevalidate: Int64 = 0, staleIfError: Int64 = 0) {
            self.fresh = fresh
            self.staleWhileRevalidate = staleWhileRevalidate
            self.staleIfError = staleIfError
        }
    }

    // What a lookup reads stands first, so that it comes with one line of memory.
    public let key: PageKey
    public let usableUntil: Int64
    public let freshUntil: Int64
    public let revalidateUntil: Int64
    /// When the upstream answered.
    public let fetchedAt: Int64
    public let body: [UInt8]
    /// What only negative entries have, apart because most pages are none.
    private let failure: Failure?

    private final class Failure: Sendable {
        let status: Int
        let code: String?

        init(status: Int, code: String?) {
            self.status = status
            self.code = code
        }
    }

    /// - Parameters:
    ///   - status: the HTTP status it is served with: 200, or a 4xx for a negative entry.
    ///   - errorCode: the error code of a negative entry.
    ///   - fetchedAt: when the upstream answered, in monotonic nanoseconds.
    public init(
        key: PageKey, status: Int, errorCode: String? = nil, body: [UInt8], fetchedAt: Int64, lifetime: Lifetime
    ) {
        self.key = key
        failure = status == 200 && errorCode == nil ? nil : Failure(status: status, code: errorCode)
        self.body = body
        self.fetchedAt = fetchedAt
        freshUntil = fetchedAt &+ max(0, lifetime.fresh)
        revalidateUntil = freshUntil &+ max(0, lifetime.staleWhileRevalidate)
        usableUntil = max(revalidateUntil, freshUntil &+ max(0, lifetime.staleIfError))
    }

    private init(_ page: Page, freshUntil: Int64) {
        key = page.key
        failure = page.failure
        body = page.body
        fetchedAt = page.fetchedAt
        self.freshUntil = freshUntil
        revalidateUntil = page.revalidateUntil
        usableUntil = page.usableUntil
    }

    /// The HTTP status it is served with: 200, or a 4xx for a negative entry.
    public var status: Int { failure?.status ?? 200 }

    /// The error code of a negative entry.
    public var errorCode: String? { failure?.code }

    /// The same page, no longer fresh.
    func stale(now: Int64) -> Page { Page(self, freshUntil: min(freshUntil, now)) }

    /// What the page and its place in the tables take, beside key and body: two objects' headers, the record, its share of
    /// the tables, and what the allocator rounds up.
    static let overhead = 280

    /// The bytes that it counts for.
    var weight: Int { key.bytes.count + body.count + Self.overhead }
}
