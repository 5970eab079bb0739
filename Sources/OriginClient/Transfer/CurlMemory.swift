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

    /// The pointers that libcurl is given.
    @safe struct Request {
        /// Not to be freed by `curl_slist_free_all`.
        let list: UnsafeMutablePointer<curl_slist>?
        let body: UnsafeMutablePointer<UInt8>
        let bodyCount: Int
    }

    /// Fields that libcurl would add to a POST by itself, and the lines that prevent it: a name and a colon alone. With `Expect`, a
    /// body above 1 MiB would wait a second for "100 Continue".
    private static let unwanted = ["expect", "accept", "content-type"].map { (name: $0, line: Array("\($0):\0".utf8)) }

    /// Copies a request in, in place of the one before.
    func fill(_ lines: HeaderLines, body: [UInt8]) -> Request {
        let unwanted = Self.unwanted.filter { !lines.has($0.name) }
        let size = unwanted.reduce(lines.bytes.count + body.count) { $0 + $1.line.count }
        reserve(size, links: lines.starts.count + unwanted.count)
        copy(lines.bytes, at: 0)
        var linkCount = 0
        for (index, start) in lines.starts.enumerated() {
            let end = index + 1 < lines.starts.count ? lines.starts[index + 1] : lines.bytes.count
            // libcurl reads a line up to NUL. An empty field must end with a semicolon: a colon would remove the field.
            unsafe bytes[end - 2] = 0
            if lines.bytes[start..<end].firstIndex(of: UInt8(ascii: ":")) == end - 3 {
                unsafe bytes[end - 3] = UInt8(ascii: ";")
            }
            link(start, &linkCount)
        }
        var end = lines.bytes.count
        for (_, line) in unwanted {
            copy(line, at: end)
            link(end, &linkCount)
            end += line.count
        }
        copy(body, at: end)
        return unsafe Request(list: linkCount > 0 ? links : nil, body: bytes + end, bodyCount: body.count)
    }

    private func link(_ start: Int, _ count: inout Int) {
        let line = unsafe UnsafeMutableRawPointer(bytes + start).assumingMemoryBound(to: CChar.self)
        unsafe (links + count).initialize(to: curl_slist(data: line, next: nil))
        if count > 0 { unsafe links[count - 1].next = unsafe links + count }
        count += 1
    }

    /// Frees the memory of an uncommonly large request.
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
