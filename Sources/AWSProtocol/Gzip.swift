internal import CZlib

/// Content in gzip (RFC 1952): requests (Smithy's `requestCompression` trait), and botocore's models.
public enum Gzip {
    /// Why content cannot be unpacked.
    public enum Fault: Error, Sendable {
        /// It is damaged, or ends too early.
        case broken
        /// It is larger than the limit once it is unpacked.
        case tooLarge
        /// More follows the first member. Some readers unpack it too, and some stop there.
        case trailing
    }

    /// Returns true if content begins as gzip does.
    public static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// How hard to look for repetitions: zlib's levels.
    public enum Effort: Int32, Sendable {
        case fast = 1
        case usual = 6
    }

    /// Content as one gzip member; `nil` if there is no memory.
    public static func packed(_ bytes: Span<UInt8>, effort: Effort = .usual) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard let size = UInt32(exactly: bytes.count), unsafe CZlib_beginGzip(&stream, effort.rawValue) == Z_OK else {
            return nil
        }
        defer { _ = unsafe deflateEnd(&stream) }
        var packed = [UInt8](repeating: 0, count: Int(unsafe deflateBound(&stream, UInt(size))))
        // Unsafe only in its pointers: zlib reads and writes within the lengths that it is given, which are the buffers' own. It does
        // not change its input.
        let count = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe packed.withUnsafeMutableBufferPointer { output -> Int? in
                unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
                unsafe stream.avail_in = size
                unsafe stream.next_out = output.baseAddress
                unsafe stream.avail_out = UInt32(clamping: output.count)
                guard unsafe deflate(&stream, Z_FINISH) == Z_STREAM_END else { return nil }
                return output.count - Int(unsafe stream.avail_out)
            }
        }
        return count.map { Array(packed.prefix($0)) }
    }

    /// The content of one gzip member.
    ///
    /// - Parameter limit: the number of bytes that it may have. No more than this and 64 KiB are unpacked.
    /// - Throws: `Fault`.
    public static func unpacked(_ bytes: Span<UInt8>, atMost limit: Int) throws(Fault) -> [UInt8] {
        var stream = unsafe z_stream()
        guard unsafe CZlib_begin(&stream) == Z_OK, let size = UInt32(exactly: bytes.count) else { throw .broken }
        defer { _ = unsafe inflateEnd(&stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(max(limit, 0), (1 << 16) - 1) + 1)
        // Unsafe only in its pointers: zlib reads and writes within the lengths that it is given, which are the buffers' own. It does
        // not change its input.
        let fault = unsafe bytes.withUnsafeBufferPointer { input -> Fault? in
            unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            unsafe stream.avail_in = size
            while true {
                let (result, count) = unsafe chunk.withUnsafeMutableBufferPointer { output in
                    unsafe stream.next_out = output.baseAddress
                    unsafe stream.avail_out = UInt32(output.count)
                    let result = unsafe inflate(&stream, Z_NO_FLUSH)
                    return (result, output.count - Int(unsafe stream.avail_out))
                }
                content += chunk[..<count]
                guard content.count <= limit else { return .tooLarge }
                if result == Z_STREAM_END { return unsafe stream.avail_in == 0 ? nil : .trailing }
                // Without progress the content ends too early.
                guard result == Z_OK, count > 0 else { return .broken }
            }
        }
        if let fault { throw fault }
        return content
    }
}
