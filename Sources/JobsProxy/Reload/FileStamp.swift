internal import Glibc

/// The identity and the times of a file, which show that it was replaced or written to. Links are followed: Kubernetes replaces the files of a
/// ConfigMap by changing a link of their directory.
struct FileStamp: Equatable {
    private let values: [Int]

    /// `nil` if there is no file.
    init?(_ path: String) {
        var status = stat()
        // Unsafe only in its pointers, which the call does not keep.
        guard unsafe stat(path, &status) == 0 else { return nil }
        values = [
            Int(bitPattern: status.st_dev), Int(bitPattern: status.st_ino), status.st_size, status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
        ]
    }
}

/// Decides when files have changed: when they differ from those that were read, and have not changed since the look before, because a file
/// may be written piece by piece.
struct FileWatch {
    private var read: [String: FileStamp?] = [:]
    private var seen: [String: FileStamp?]?

    /// Those that are looked at.
    var files: [String] { Array(read.keys) }

    /// The files are about to be read; these are looked at from now on.
    mutating func note(_ stamps: [String: FileStamp?]) {
        read = stamps
        seen = nil
    }

    /// - Returns: true if they are to be read again.
    mutating func look(_ stamps: [String: FileStamp?]) -> Bool {
        defer { seen = stamps }
        return stamps != read && stamps == seen
    }
}
