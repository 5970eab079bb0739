internal import CZlib

/// Files packed with gzip (RFC 1952), as botocore's models are.
enum Gzip {
    /// Returns true if a file begins as gzip does.
    static func isPacked(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// The content of a packed file; nil if it is damaged, cut off, or larger than `limit` bytes.
    static func unpacked(_ bytes: [UInt8], atMost limit: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard unsafe CZlib_begin(&stream) == Z_OK, bytes.count <= UInt32.max else { return nil }
        defer { _ = unsafe inflateEnd(&stream) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var packed = bytes
        // Unsafe only in its pointers: zlib reads and writes within the lengths that it is given, which are the buffers' own.
        return unsafe packed.withUnsafeMutableBufferPointer { input in
            unsafe stream.next_in = input.baseAddress
            unsafe stream.avail_in = UInt32(input.count)
            while true {
                let (result, count) = unsafe chunk.withUnsafeMutableBufferPointer { output in
                    unsafe stream.next_out = output.baseAddress
                    unsafe stream.avail_out = UInt32(output.count)
                    let result = unsafe inflate(&stream, Z_NO_FLUSH)
                    return (result, output.count - Int(unsafe stream.avail_out))
                }
                content += chunk[..<count]
                guard content.count <= limit else { return nil }
                if result == Z_STREAM_END { return content }
                // Without progress the file ends too soon.
                guard result == Z_OK, count > 0 else { return nil }
            }
        }
    }
}
