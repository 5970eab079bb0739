internal import Glibc

/// A directory in which only the gateway's own user, and root, can make, rename or remove files. It is opened once and checked as
/// opened, so that it stays the same if its name changes; it does not prevent that a file system is mounted anew.
final class PrivateDirectory: Sendable {
    private let descriptor: Descriptor
    private let path: String

    /// - Throws: `FileError` if it cannot be opened, or if others can write to it.
    init(_ path: String) throws(FileError) {
        self.path = path
        descriptor = Descriptor(number: unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        guard descriptor.number >= 0 else { throw FileError(path) }
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw FileError(path) }
        guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            throw FileError(
                path, "others can write to this directory: name a file in one that only its owner can write to")
        }
    }

    /// Opens a file of this directory that is the gateway's own, without following a symbolic link and without waiting.
    ///
    /// - Throws: `FileError`; its code is `ENOENT` if there is none.
    func open(_ name: String, _ flags: Int32) throws(FileError) -> OwnFile {
        let number = unsafe openat(
            descriptor.number, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        return try OwnFile(Descriptor(number: number), "\(path)/\(name)")
    }

    func holds(_ file: OwnFile, as name: String) -> Bool {
        var status = stat()
        return unsafe fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0
            && status.st_ino == file.number
    }

    /// Gives a file the name of another one, which is gone then.
    ///
    /// - Throws: `FileError`.
    func rename(_ name: String, to other: String) throws(FileError) {
        guard unsafe renameat(descriptor.number, name, descriptor.number, other) == 0 else {
            throw FileError("\(path)/\(other)")
        }
    }

    func remove(_ name: String) { _ = unsafe unlinkat(descriptor.number, name, 0) }

    /// Returns when its names are on the disk, as far as the file system lets it.
    func synchronize() { fsync(descriptor.number) }
}

/// A file that is open, and that no other user can write to. It closes with its last use.
final class OwnFile: Sendable {
    private let descriptor: Descriptor
    private let path: String
    /// Its length in bytes when it was opened.
    let size: Int
    /// Its inode.
    let number: ino_t

    /// - Parameter descriptor: negative if it could not be opened; `errno` says why.
    fileprivate init(_ descriptor: consuming Descriptor, _ path: String) throws(FileError) {
        var status = stat()
        guard descriptor.number >= 0, unsafe fstat(descriptor.number, &status) == 0 else {
            throw errno == ELOOP ? FileError(path, "it is a symbolic link", isForeign: true) : FileError(path)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path, "it is no file", isForeign: true) }
        guard status.st_uid == geteuid() else { throw FileError(path, "it belongs to another user", isForeign: true) }
        guard status.st_mode & 0o022 == 0 else { throw FileError(path, "others can write to it") }
        self.descriptor = descriptor
        self.path = path
        (size, number) = (Int(status.st_size), status.st_ino)
    }

    /// The bytes from an offset on: as many as asked for, fewer at the end or where they cannot be read.
    func read(at offset: Int, _ count: Int) -> [UInt8] {
        // Unsafe only because it is filled here: no more is counted than was read.
        unsafe [UInt8](unsafeUninitializedCapacity: max(0, count)) { buffer, filled in
            while filled < count {
                let read = unsafe pread(
                    descriptor.number, buffer.baseAddress.map { unsafe $0 + filled }, count - filled,
                    off_t(offset + filled))
                if read < 0, errno == EINTR { continue }
                guard read > 0 else { return }
                filled += read
            }
        }
    }

    /// Writes all of the bytes at an offset.
    ///
    /// - Throws: `FileError`.
    func write(_ bytes: [UInt8], at offset: Int) throws(FileError) {
        var written = 0
        while written < bytes.count {
            // Unsafe only in its pointer: the written bytes lie inside the array.
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe pwrite(
                    descriptor.number, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written,
                    off_t(offset + written))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError(path) }
            written += count
        }
    }

    /// Empties it, takes others' right to read it, and keeps other processes from claiming it while it is open.
    ///
    /// - Returns: false if another process has claimed it.
    /// - Throws: `FileError`.
    func claim() throws(FileError) -> Bool {
        guard flock(descriptor.number, LOCK_EX | LOCK_NB) == 0 else {
            guard errno == EWOULDBLOCK else { throw FileError(path) }
            return false
        }
        guard fchmod(descriptor.number, 0o600) == 0, ftruncate(descriptor.number, 0) == 0 else { throw FileError(path) }
        return true
    }

    /// Returns when its bytes are on the disk.
    ///
    /// - Throws: `FileError`.
    func synchronize() throws(FileError) {
        guard fdatasync(descriptor.number) == 0 else { throw FileError(path) }
    }
}

/// A descriptor that closes with its last use; negative for none.
private struct Descriptor: ~Copyable {
    let number: Int32

    deinit { if number >= 0 { close(number) } }
}

struct FileError: Error, CustomStringConvertible {
    let description: String
    /// As in errno; 0 where it is not the system that refuses.
    let code: Int32
    /// True if the name belongs to something that the gateway has not made, and must not touch.
    let isForeign: Bool

    init(_ path: String) {
        code = errno
        description = "\(path): \(unsafe String(cString: strerror(code)))"
        isForeign = false
    }

    init(_ path: String, _ reason: String, isForeign: Bool = false) {
        description = "\(path): \(reason)"
        code = 0
        self.isForeign = isForeign
    }
}
