internal import Glibc

/// Files that are named by an operator and read whole. Anything but a regular file is refused: a pipe, for one, would hold up its reader until it
/// is written to.
public enum RegularFile {
    /// The reason why a file could not be read.
    public enum Fault: Error, Equatable, CustomStringConvertible {
        /// With the value of `errno`.
        case unopened(Int32)
        case unread(Int32)
        case notRegular
        /// It has more bytes than this.
        case tooLarge(Int)

        public var description: String {
            switch self {
            case .unopened(let code): unsafe "cannot be opened: \(String(cString: strerror(code)))"
            case .unread(let code): unsafe "cannot be read: \(String(cString: strerror(code)))"
            case .notRegular: "is not a regular file"
            case .tooLarge(let limit): "is larger than \(limit) bytes"
            }
        }
    }

    /// The bytes of a file. Links are followed.
    ///
    /// - Parameter limit: the most bytes that it may have.
    public static func read(_ path: String, atMost limit: Int) throws(Fault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw .unopened(EINVAL) }
        // O_NONBLOCK, because opening a pipe that nobody writes to would block.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unopened(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unread(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        return try read(descriptor, atMost: limit)
    }

    /// The bytes of an open file, up to its end.
    public static func read(_ descriptor: Int32, atMost limit: Int) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count <= limit {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .unread(errno) }
            bytes += chunk[..<count]
        }
        throw .tooLarge(limit)
    }
}
