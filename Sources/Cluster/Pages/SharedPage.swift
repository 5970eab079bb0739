internal import AWSProtocol
internal import PageCache
internal import Primitives

/// A page as it is kept in Redis: a header that scripts read, and the sealed page. The header is part of what is sealed, as its context, with
/// the page's key: a writer to Redis cannot change a page, move it to another key, or restore it after its epoch.
///
/// The header is `freshUntil fetchedAt generation epoch epoch-of-service`, instants in microseconds of Redis's clock.
struct SharedPage: Sendable, Equatable {
    let freshUntil: Int64
    let fetchedAt: Int64
    let stamp: EpochMirror.Stamp
    /// Nanoseconds behind `freshUntil`.
    let staleWhileRevalidate: Int64
    let staleIfError: Int64
    let body: [UInt8]

    private var header: [UInt8] {
        Array("\(freshUntil) \(fetchedAt) \(stamp.generation) \(stamp.scope) \(stamp.service) ".utf8)
    }

    /// The text for Redis; nil if memory is short.
    func sealed(_ key: PageKey, _ keys: ClusterKeys) -> [UInt8]? {
        let header = header
        let text = Array("\(staleWhileRevalidate) \(staleIfError) ".utf8) + body
        return SealedText.seal(text, context: header + key.bytes, key: keys.sealingKey(ofPage: key.bytes))
            .map { header + $0 }
    }
}

extension SharedPage {
    /// Opens a text from Redis; nil if no gateway with this secret has written it for this key.
    init?(_ text: [UInt8], _ key: PageKey, _ keys: ClusterKeys) {
        let parts = text.split(separator: UInt8(ascii: " "), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, let freshUntil = Self.number(parts[0]), let fetchedAt = Self.number(parts[1]),
            let scope = Self.number(parts[3]), let service = Self.number(parts[4])
        else { return nil }
        let context = Array(text[..<parts[5].startIndex]) + key.bytes
        guard let open = SealedText.open(parts[5], context: context, key: keys.sealingKey(ofPage: key.bytes)) else {
            return nil
        }
        let inner = open.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard inner.count == 3, let revalidate = Self.number(inner[0]), let error = Self.number(inner[1]) else {
            return nil
        }
        self.freshUntil = freshUntil
        self.fetchedAt = fetchedAt
        stamp = EpochMirror.Stamp(
            generation: String(decoding: parts[2], as: UTF8.self), scope: UInt64(scope), service: UInt64(service))
        staleWhileRevalidate = revalidate
        staleIfError = error
        body = Array(inner[2])
    }

    /// A number of digits alone.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(String(decoding: digits, as: UTF8.self))
    }

    /// - Parameter membership: knows Redis's clock.
    init(_ page: Page, _ stamp: EpochMirror.Stamp, _ membership: Membership) {
        freshUntil = max(0, membership.time(of: page.freshUntil))
        fetchedAt = max(0, membership.time(of: page.fetchedAt))
        self.stamp = stamp
        staleWhileRevalidate = page.revalidateUntil - page.freshUntil
        staleIfError = page.usableUntil - page.freshUntil
        body = page.body
    }

    /// The page by this process's clock. A page from the future, because Redis's clock was set back, counts as new.
    func page(_ key: PageKey, _ membership: Membership, now: MonotonicInstant) -> Page {
        let fetched = min(now, membership.instant(of: fetchedAt))
        let (micros, _) = freshUntil.subtractingReportingOverflow(fetchedAt)
        let (fresh, overflow) = max(0, micros).multipliedReportingOverflow(by: 1000)
        return Page(
            key: key, status: 200, body: body, fetchedAt: fetched,
            lifetime: Page.Lifetime(
                fresh: overflow ? .max : fresh, staleWhileRevalidate: staleWhileRevalidate, staleIfError: staleIfError))
    }
}
