internal import Glibc

/// Reads the small files of credentials and tokens.
enum SourceFile {
    static let maxBytes = 1024 * 1024

    /// The reason why a file could not be read.
    enum Fault: Error, Equatable {
        /// The value of errno.
        case system(Int32)
        /// A directory, or a pipe, which could block forever.
        case notRegular
        case tooLong

        /// Such as "cannot be read: Permission denied".
        var message: String {
            switch self {
            case .system(ENOENT), .system(ENOTDIR): "does not exist"
            case .system(let code): unsafe "cannot be read: \(String(cString: strerror(code)))"
            case .notRegular: "is not a file"
            case .tooLong: "is longer than 1 MiB"
            }
        }
    }

    static func read(_ path: String) throws(Fault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw .system(EINVAL) }
        // O_NONBLOCK, because opening a pipe without a writer would block.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular }
        var bytes: [UInt8] = []
        while true {
            switch readPiece(descriptor, 64 * 1024, onto: &bytes) {
            case .end: return bytes
            case .some: if bytes.count > maxBytes { throw .tooLong }
            case .fault(EINTR): continue
            case .fault(let code): throw .system(code)
            }
        }
    }

    enum Piece: Equatable {
        case some
        case end
        /// The value of errno.
        case fault(Int32)
    }

    /// Reads at most `size` bytes and appends them.
    static func readPiece(_ descriptor: Int32, _ size: Int, onto bytes: inout [UInt8]) -> Piece {
        var piece = [UInt8](repeating: 0, count: size)
        let count = unsafe Glibc.read(descriptor, &piece, size)
        guard count >= 0 else { return .fault(errno) }
        bytes += piece.prefix(count)
        return count == 0 ? .end : .some
    }

    /// A token: the text of the file without white space at its ends.
    ///
    /// - Parameter whose: the subject of the message, such as "the web identity token file".
    /// - Throws: `failed` if the file cannot be read.
    static func token(_ path: String, _ whose: String) throws(CredentialFault) -> String {
        let bytes: [UInt8]
        do throws(Fault) { bytes = try read(path) } catch { throw .failed("\(whose) \(error.message)") }
        let isSpace: (UInt8) -> Bool = { $0 == 32 || (9...13).contains($0) }
        let text = bytes.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
        return String(decoding: text, as: UTF8.self)
    }
}

/// The identity and the state of a file. It changes if the file is replaced or written to.
struct FileStamp: Sendable, Equatable {
    private let values: [Int]

    /// A file that cannot be examined has the stamp of a missing one.
    init(_ path: String) {
        var status = stat()
        let result = unsafe stat(path, &status)
        if result != 0 || path.utf8.contains(0) { status = stat() }
        // The last change of the inode too, because a program may set the time of the content's.
        values = [
            Int(bitPattern: status.st_dev), Int(bitPattern: status.st_ino), status.st_size, status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }
}
