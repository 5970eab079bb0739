internal import CCurl

/// The bytes of a request that libcurl reads while it sends them: header lines and body.
///
/// `@safe` because: the memory is allocated, filled and freed here alone, and its owner fills or frees it only while libcurl
/// has no hold of it. It is used again from request to request, so that one costs no allocation.
@safe final class CurlMemory {
    private var bytes: UnsafeMutablePointer<UInt8>
    private var capacity = 2048
    /// The links of libcurl's list: each holds a line's address and the next link's.
    private var links: UnsafeMutablePointer<curl_slist>
    private var linkCapacity = 16

    init() {
        unsafe bytes = .allocate(capacity: capacity)
        unsafe links = .allocate(capacity: linkCapacity)
    }

    deinit {
        unsafe bytes.deallocate()
        unsafe links.deallocate()
    }

    /// What of it libcurl is given.
    @safe struct Request {
        /// Not to be freed by `curl_slist_free_all`.
        let list: UnsafeMutablePointer<curl_slist>?
        let body: UnsafeMutablePointer<UInt8>
        let bodyCount: Int
    }

    /// Copies a request in; one that was here before is gone.
    func fill(_ lines: HeaderLines, body: [UInt8]) -> Request {
        reserve(lines.bytes.count + body.count, links: lines.starts.count)
        copy(lines.bytes, at: 0)
        copy(body, at: lines.bytes.count)
        for (index, start) in lines.starts.enumerated() {
            let line = unsafe UnsafeMutableRawPointer(bytes + start).assumingMemoryBound(to: CChar.self)
            let next = unsafe index + 1 < lines.starts.count ? links + index + 1 : nil
            unsafe (links + index).initialize(to: curl_slist(data: line, next: next))
        }
        return unsafe Request(
            list: lines.starts.isEmpty ? nil : links, body: bytes + lines.bytes.count, bodyCount: body.count)
    }

    /// Gives back what an uncommonly large request has taken.
    func shrink() {
        guard capacity > 16 * 1024 else { return }
        unsafe bytes.deallocate()
        capacity = 2048
        unsafe bytes = .allocate(capacity: capacity)
    }

    private func copy(_ source: [UInt8], at offset: Int) {
        unsafe source.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe (bytes + offset).update(from: start, count: source.count)
        }
    }

    private func reserve(_ count: Int, links linkCount: Int) {
        if count > capacity {
            unsafe bytes.deallocate()
            capacity = count
            unsafe bytes = .allocate(capacity: capacity)
        }
        if linkCount > linkCapacity {
            unsafe links.deallocate()
            linkCapacity = linkCount
            unsafe links = .allocate(capacity: linkCapacity)
        }
    }
}
