public import Primitives

/// A stored reply: its bytes and its lifetime. Immutable.
public final class Page: Sendable {
    /// The spans in which a page may be used, in nanoseconds. `fresh` counts from the fetch, the other two from the end of `fresh`.
    public struct Lifetime: Sendable, Equatable {
        /// The page is served without a refresh.
        public var fresh: Int64
        /// The page is served while it is refreshed (RFC 5861, section 3).
        public var staleWhileRevalidate: Int64
        /// The page is served when it cannot be refreshed (RFC 5861, section 4).
        public var staleIfError: Int64

        public init(fresh: Int64, staleWhileRevalidate: Int64 = 0, staleIfError: Int64 = 0) {
            self.fresh = fresh
            self.staleWhileRevalidate = staleWhileRevalidate
            self.staleIfError = staleIfError
        }
    }

    // The fields that a lookup reads come first, so that they share a cache line.

    /// The key that the page is stored under.
    public let key: PageKey
    /// The instant from which the page may not be served at all.
    public let usableUntil: MonotonicInstant
    /// The instant from which the page is stale.
    public let freshUntil: MonotonicInstant
    /// The instant from which the page is served only if no other can be had.
    public let revalidateUntil: MonotonicInstant
    /// The instant of the request that fetched the page.
    public let fetchedAt: MonotonicInstant
    /// The bytes of the reply's body.
    public let body: [UInt8]
    /// The instant of the request that brought these bytes; before `fetchedAt` if later ones have brought the same page.
    public let bodyFetchedAt: MonotonicInstant
    /// The body in gzip, for clients that accept it; `nil` if it was not packed.
    public let packed: [UInt8]?
    /// The fields of negative entries, in an object of their own because most pages have none.
    private let failure: Failure?

    private final class Failure: Sendable {
        let status: Int
        let code, queryError: String?

        init(status: Int, code: String?, queryError: String?) {
            self.status = status
            self.code = code
            self.queryError = queryError
        }
    }

    /// - Parameters:
    ///   - status: the HTTP status of the answer: 200, or a 4xx for a negative entry.
    ///   - errorCode: the error code of a negative entry, else `nil`; so is `queryError`, the service's other word for it.
    ///   - fetchedAt: the instant of the request that fetched the page.
    ///   - lifetime: negative spans count as 0.
    public init(
        key: PageKey, status: Int, errorCode: String? = nil, queryError: String? = nil, body: [UInt8],
        fetchedAt: MonotonicInstant,
        lifetime: Lifetime
    ) {
        self.key = key
        failure =
            status == 200 && errorCode == nil
            ? nil : Failure(status: status, code: errorCode, queryError: queryError)
        self.body = body
        packed = nil
        bodyFetchedAt = fetchedAt
        self.fetchedAt = fetchedAt
        freshUntil = fetchedAt + max(0, lifetime.fresh)
        revalidateUntil = freshUntil + max(0, lifetime.staleWhileRevalidate)
        usableUntil = max(revalidateUntil, freshUntil + max(0, lifetime.staleIfError))
    }

    private init(_ page: Page, fetchedAt: MonotonicInstant, lifetime: Lifetime) {
        key = page.key
        failure = page.failure
        (body, packed) = (page.body, page.packed)
        bodyFetchedAt = page.bodyFetchedAt
        self.fetchedAt = fetchedAt
        freshUntil = fetchedAt + max(0, lifetime.fresh)
        revalidateUntil = freshUntil + max(0, lifetime.staleWhileRevalidate)
        usableUntil = max(revalidateUntil, freshUntil + max(0, lifetime.staleIfError))
    }

    private init(_ page: Page, packed: [UInt8]?, freshUntil: MonotonicInstant) {
        key = page.key
        failure = page.failure
        (body, self.packed) = (page.body, packed)
        bodyFetchedAt = page.bodyFetchedAt
        fetchedAt = page.fetchedAt
        self.freshUntil = freshUntil
        revalidateUntil = page.revalidateUntil
        usableUntil = page.usableUntil
    }

    /// The same page, fetched anew: only its age and its lifetime are new.
    ///
    /// - Parameter fetchedAt: the instant of the request that has brought the same.
    public func renewed(fetchedAt: MonotonicInstant, lifetime: Lifetime) -> Page {
        Page(self, fetchedAt: fetchedAt, lifetime: lifetime)
    }

    /// The same page, with its body in gzip beside it.
    public func withPacked(_ packed: [UInt8]) -> Page { Page(self, packed: packed, freshUntil: freshUntil) }

    /// The HTTP status of the answer: 200, or a 4xx for a negative entry.
    public var status: Int { failure?.status ?? 200 }

    /// The error code of a negative entry, else `nil`.
    public var errorCode: String? { failure?.code }

    /// The value of `x-amzn-query-error` of a negative entry, if the service gave one.
    public var queryError: String? { failure?.queryError }

    /// The same page, stale from `now` on.
    func stale(now: MonotonicInstant) -> Page { Page(self, packed: packed, freshUntil: min(freshUntil, now)) }

    /// The memory of a page beside key and body, in bytes: two object headers, the record, its share of the tables, and the
    /// allocator's rounding.
    static let overhead = 288

    /// The bytes that the page counts for.
    var weight: Int {
        key.bytes.count + body.count + (packed.map { $0.count + Self.packedOverhead } ?? 0) + Self.overhead
    }

    /// An object header, and the allocator's rounding.
    private static let packedOverhead = 48
}
