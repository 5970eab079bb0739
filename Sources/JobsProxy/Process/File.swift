internal import Glibc
internal import Primitives

/// Files that are read whole.
enum File {
    /// The bytes of a regular file, or of what the process was started with, such as `/dev/stdin`, until its writer closes it.
    ///
    /// - Throws: `CommandFailure`, also for a file that is larger than `limit`.
    static func read(_ path: String, atMost limit: Int = 16 << 20) throws(CommandFailure) -> [UInt8] {
        do throws(RegularFile.Fault) {
            guard handedPlaces.contains(where: path.hasPrefix) else {
                return try RegularFile.read(path, atMost: limit)
            }
            let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .unopened(errno) }
            defer { close(descriptor) }
            return try RegularFile.read(descriptor, atMost: limit)
        } catch {
            throw CommandFailure("\(path): \(error)")
        }
    }

    /// The names of open descriptors: a shell gives `<(…)` one.
    private static let handedPlaces = ["/dev/stdin", "/dev/fd/", "/proc/self/fd/"]

    /// Returns true if there is something at a path.
    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    /// Makes a file of these bytes, in the place of one that is there.
    ///
    /// - Throws: `CommandFailure`.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path, "cannot be written") }
        defer { close(descriptor) }
        guard write(bytes, to: descriptor) else { throw failure(path, "cannot be written") }
    }

    private static func failure(_ path: String, _ what: String) -> CommandFailure {
        CommandFailure("\(path): \(what): \(unsafe String(cString: strerror(errno)))")
    }

    /// Writes all of the bytes.
    ///
    /// - Returns: false if it could not; `errno` has the reason.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Unsafe only in its pointer; the length is the buffer's.
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
