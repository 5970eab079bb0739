internal import Glibc

/// The files that certificates and keys come from.
enum TLSFile {
    /// The identity and the times of a file, which show that it was replaced or written to.
    struct Stamp: Equatable {
        private let values: [Int]

        /// The stamp of a file; `nil` if there is no file. Links are followed: certificates are often replaced by changing a link.
        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            values = [
                Int(bitPattern: status.st_dev), Int(bitPattern: status.st_ino), status.st_size, status.st_mtim.tv_sec,
                status.st_mtim.tv_nsec,
            ]
        }
    }

    /// Far above the size of any chain of certificates.
    private static let maxBytes = 1 << 20

    /// Reads a file.
    ///
    /// - Throws: `TLSError` if it cannot be read or is larger than `maxBytes`.
    static func read(_ path: String) throws(TLSError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= maxBytes {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            guard count > 0 else { throw unreadable(path) }
            bytes += chunk[..<count]
        }
        throw TLSError(file: path, what: "is larger than \(maxBytes) bytes")
    }

    private static func unreadable(_ path: String) -> TLSError {
        TLSError(file: path, what: "cannot be read: \(unsafe String(cString: strerror(errno)))")
    }
}
