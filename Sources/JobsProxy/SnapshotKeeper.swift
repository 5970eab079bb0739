internal import Gateway
internal import Glibc
internal import Locking
internal import PageCache

/// Keeps the cache's pages in a file: writes them from time to time and at the end, reads them at the start.
///
/// The file must never bring back a page that a write has made void. So it goes away before a write is sent, and a new one
/// takes its place only if no write was on its way from the first page that was collected for it to its last byte. A
/// process that is killed then leaves a file of pages that are still true, or none.
final class SnapshotKeeper: WriteObserver {
    private struct State {
        /// Writes that are on their way.
        var inFlight = 0
        /// How many ever began.
        var begun: UInt64 = 0
        /// Whether there may be a file.
        var hasFile = true
        /// Whether what has the path is somebody else's, which is not to be touched.
        var isForeign = false
    }

    private let path: String
    private let origin: [UInt8]
    private let maxBytes: Int
    private let state = Locked(State())

    /// - Parameters:
    ///   - path: the file. A second one with `.new` behind its name is there while it is written.
    ///   - origin: what the pages are answers of.
    ///   - maxBytes: what the cache may hold; a file that is more than twice as large is none of ours.
    init(path: String, origin: [UInt8], maxBytes: Int) {
        self.path = path
        self.origin = origin
        self.maxBytes = maxBytes
    }

    // MARK: Writes

    func writeBegins() {
        let path = path
        state.withLock { state in
            state.inFlight += 1
            state.begun &+= 1
            // Under the lock, because a new file must not take the place of the old one in between.
            if state.hasFile, !state.isForeign { unsafe unlink(path) }
            state.hasFile = false
        }
    }

    func writeEnded() { state.withLock { $0.inFlight -= 1 } }

    /// Whether a write has taken the file away.
    var isMissing: Bool { state.withLock { !$0.hasFile && !$0.isForeign } }

    // MARK: Saving

    /// Writes the pages to the file.
    ///
    /// - Returns: how many it was; nothing if a write was on its way, then the file is not there, or if the path is somebody
    ///   else's.
    /// - Throws: `FileError`.
    func save(_ cache: PageCache) throws(FileError) -> Int? {
        let begun = state.withLock { state in state.inFlight == 0 && !state.isForeign ? state.begun : nil }
        guard let begun else { return nil }
        let new = path + ".new"
        var pages = 0
        do throws(FileError) {
            var file = try NewFile(new)
            var writer = SnapshotWriter(origin: origin)
            try cache.save(now: Process.now, wallClock: Process.wallClockNanoseconds) { page throws(FileError) in
                writer.append(page)
                pages += 1
                if writer.pending >= 1 << 20 { try file.write(writer.take()) }
            }
            try file.write(writer.finish())
            try file.synchronize()
        } catch {
            unsafe unlink(new)
            throw error
        }
        let path = path
        let result: Result<Bool, FileError> = state.withLock { state in
            guard state.inFlight == 0, state.begun == begun else { return .success(false) }
            guard unsafe rename(new, path) == 0 else { return .failure(FileError(path)) }
            state.hasFile = true
            return .success(true)
        }
        guard case .success(true) = result else {
            unsafe unlink(new)
            _ = try result.get()
            return nil
        }
        NewFile.synchronizeDirectory(of: path)
        return pages
    }

    // MARK: Loading

    /// Takes in the pages of the file.
    ///
    /// - Returns: how many it was; nothing if there is no file.
    /// - Throws: a `CommandFailure` that says why the file is not used.
    func load(into gate: Gate) throws(CommandFailure) -> Int? {
        guard let bytes = try read() else { return nil }
        let now = Process.now
        let wallClock = Process.wallClockNanoseconds
        do throws(SnapshotFault) {
            var pages: [SavedPage] = []
            var reader = try SnapshotReader(bytes, origin: origin)
            while let page = try reader.next() { pages.append(page) }
            return pages.count { gate.restore($0, now: now, wallClock: wallClock) }
        } catch {
            guard error == .foreign else { throw CommandFailure("\(path) is not used: \(error.rawValue)") }
            throw foreign(error.rawValue)
        }
    }

    /// What has the path is none of ours: it stays as it is, and nothing is ever written there.
    private func foreign(_ reason: String) -> CommandFailure {
        state.withLock { $0.isForeign = true }
        return CommandFailure("\(path) is not used, nor ever written: \(reason); name another file")
    }

    /// Nothing if there is no file.
    private func read() throws(CommandFailure) -> [UInt8]? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw CommandFailure("\(path) is not used: \(FileError.reason)")
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw foreign("it is no file") }
        guard status.st_uid == geteuid() else { throw foreign("it belongs to another user") }
        guard status.st_mode & 0o022 == 0 else {
            throw CommandFailure("\(path) is not used: others can write to it")
        }
        return try File.read(path, atMost: 2 * maxBytes + 1 << 20)
    }
}

/// A file that could not be written.
struct FileError: Error, CustomStringConvertible {
    let description: String

    /// From the system's last error.
    init(_ path: String) { description = "\(path): \(Self.reason)" }

    static var reason: String { unsafe String(cString: strerror(errno)) }
}

/// A file that is being written and that only its owner may read. It closes with its last use.
private struct NewFile: ~Copyable {
    private let path: String
    private let descriptor: Int32

    /// Makes the file anew; one that is there of that name is gone.
    init(_ path: String) throws(FileError) {
        self.path = path
        unsafe unlink(path)
        descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(path) }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    mutating func write(_ bytes: [UInt8]) throws(FileError) {
        guard File.write(bytes, to: descriptor) else { throw FileError(path) }
    }

    /// Returns when the bytes are on the disk.
    func synchronize() throws(FileError) {
        guard fsync(descriptor) == 0 else { throw FileError(path) }
    }

    /// Makes a new name in a directory outlive a crash of the machine, as far as the file system lets it.
    static func synchronizeDirectory(of path: String) {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = unsafe open(directory, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
