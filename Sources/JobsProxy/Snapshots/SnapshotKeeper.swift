internal import Gateway
internal import Glibc
internal import Locking
internal import PageCache
internal import Primitives

/// Keeps the cache's pages in a file: writes them from time to time and at the end, reads them at the start.
///
/// The file never brings back a page that a write has invalidated: `SnapshotEpochs` knows the writes since, in a file of its own.
/// See docs/design.md, "Snapshots".
final class SnapshotKeeper: WriteObserver {
    private struct State: ~Copyable {
        var origin: [UInt8]
        var epochs: SnapshotEpochs
        /// True if the gateway has not made the file at the path, and must not touch it.
        var isForeign = false
        /// True if reading the file was interrupted: the cache holds only a part of its pages, and must not replace them.
        var isPartial = false
        /// The number of writes that have ended, and its value when the pages were collected that were saved last.
        var writes = 0
        var savedWrites = 0
        /// When the pages were saved last; at first, when the keeper was made.
        var savedAt = Process.now
    }

    private let path: String
    private let name: String
    private let maxBytes: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - path: the file. One with `.new` behind its name is there while it is written, and one with `.epochs` always.
    ///   - origin: identifies the services that the pages come from; see `Configuration.pageOrigin`.
    ///   - maxBytes: the size of the cache; a file that is more than twice as large is not used.
    init(path: String, origin: [UInt8], maxBytes: Int, boot: [UInt8] = SnapshotEpochs.currentBoot) {
        self.path = path
        self.maxBytes = maxBytes
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        self.name = name
        state = Locked(
            State(origin: origin, epochs: SnapshotEpochs(directory: directory, name: name + ".epochs", boot: boot)))
    }

    /// The pages come from other services, or with other credentials, from now on; see `Configuration.pageOrigin`.
    func use(origin: [UInt8]) { state.withLock { $0.origin = origin } }

    // MARK: Writes

    /// Writes 8 bytes for each scope under the lock, on the upstream's thread: a write must not be sent before its number is in the
    /// file, and the numbers of two writes must not overtake each other. The bytes go to the kernel's page cache, without a sync but
    /// for the first after another process's end. A file system that hangs holds up all fetches; another thread would avoid that
    /// only if every write waited for its answer.
    func writeBegins(_ scopes: [EpochScope], now: MonotonicInstant) -> MonotonicInstant? {
        state.withLock { $0.isForeign ? nil : $0.epochs.writeBegins(scopes, now: now) }
    }

    func writeEnded(_ scopes: [EpochScope]) {
        state.withLock { state in
            state.writes += 1
            if !state.isForeign { state.epochs.writeEnded(scopes) }
        }
    }

    /// The number of writes that have ended since the pages were saved last; each has invalidated some pages of the file.
    var writesSinceSaved: Int { state.withLock { $0.writes - $0.savedWrites } }

    /// When the pages were saved last; before the first time, when the keeper was made.
    var lastSaved: MonotonicInstant { state.withLock { $0.savedAt } }

    /// Learns of the writes of other processes that use the same file, and invalidates the pages concerned. To be called a few times
    /// a second: the file is invalid when this process has not renewed its lease for some seconds.
    func refresh(_ cache: PageCache) {
        let raised = state.withLock { state in
            state.isForeign || state.isPartial ? [] : (try? state.epochs.refresh(now: Process.now)) ?? []
        }
        for scope in raised { cache.invalidate(scope) }
    }

    /// Records that the process has ended, so that the file is valid for the next one whenever it begins.
    ///
    /// - Returns: `nil`, or the moment before which the process must not end.
    func end() -> MonotonicInstant? { state.withLock { $0.isForeign ? nil : $0.epochs.end(now: Process.now) } }

    // MARK: Saving

    /// Writes the pages to the file, except those that a write in progress may invalidate.
    ///
    /// - Parameter savable: the pages that may be written; nil for all.
    /// - Returns: the number of pages; `nil` if the cache holds only some of the file's pages, because the gateway is ending as it begins.
    /// - Throws: `FileError`, also if the file at the path is not the gateway's, or if another process is writing it.
    func save(_ cache: PageCache, _ savable: SavablePages? = nil) throws(FileError) -> Int? {
        let (numbers, raised, writes, directory) = try state.withLock { state throws(FileError) in
            guard !state.isForeign else {
                throw FileError(path, "is not a gateway's snapshot, and is left alone", isForeign: true)
            }
            return try Self.prepare(&state)
        }
        guard let directory else { return nil }
        // Before any page is collected: pages that other processes have invalidated must not be written under the new numbers.
        for scope in raised { cache.invalidate(scope) }
        let inFlight = Set(zip(EpochScope.all, numbers).filter { $0.1.isInFlight }.map(\.0))
        let new = name + ".new"
        let file = try directory.open(new, O_RDWR | O_CREAT)
        guard try file.claim(), directory.holds(file, as: new) else {
            throw FileError(path, "another process is writing it")
        }
        var pages = 0
        do throws(FileError) {
            var writer = SnapshotWriter(origin: state.withLock { $0.origin }, epochs: numbers.map(\.bits))
            var position = 0
            func write(_ bytes: [UInt8]) throws(FileError) {
                try file.write(bytes, at: position)
                position += bytes.count
            }
            try cache.save(now: Process.now, wallClock: Process.wallClock(), except: inFlight) {
                page throws(FileError) in
                guard savable?.contain(page.key) ?? true else { return }
                writer.append(page)
                pages += 1
                if writer.pending >= 1 << 20 { try write(writer.take()) }
            }
            try write(writer.finish())
            try file.synchronize()
            try directory.rename(new, to: name)
        } catch {
            directory.remove(new)
            throw error
        }
        // Only now: writes that a failed attempt has not saved stay due.
        state.withLock { ($0.savedWrites, $0.savedAt) = (max($0.savedWrites, writes), Process.now) }
        directory.synchronize()
        return pages
    }

    /// The current numbers of the epochs, the scopes that other processes have raised, the number of writes so far, and the
    /// directory: `nil` if the file must not be written.
    private static func prepare(
        _ state: inout State
    ) throws(FileError) -> (
        numbers: [EpochFile.Number], raised: Set<EpochScope>, writes: Int, directory: PrivateDirectory?
    ) {
        guard !state.isPartial else { return ([], [], 0, nil) }
        var raised: Set<EpochScope> = []
        do throws(FileError) {
            raised = try state.epochs.refresh(now: Process.now)
        } catch {
            // It is not there, or damaged.
            _ = try state.epochs.begin(now: Process.now)
        }
        return (state.epochs.numbers, raised, state.writes, try state.epochs.openDirectory())
    }

    // MARK: Loading

    /// Reads the pages of the file into the cache, one after the other.
    ///
    /// - Parameter isOver: called before each piece; once it returns true, the rest is not read.
    /// - Returns: the number of pages; `nil` if there is no file.
    /// - Throws: `CommandFailure` if the file is not used, with the reason.
    func load(into gate: Gate, until isOver: @escaping () -> Bool = { false }) throws(CommandFailure) -> Int? {
        do throws(FileError) {
            return try read(into: gate, until: isOver)
        } catch {
            if isOver() {
                state.withLock { $0.isPartial = true }
                return nil
            }
            if error.code == ENOENT { return nil }
            guard error.isForeign else { throw CommandFailure("is not used: \(error)") }
            // The file is never changed.
            state.withLock { $0.isForeign = true }
            throw CommandFailure("is not used, nor ever written: \(error); name another file")
        }
    }

    private func read(into gate: Gate, until isOver: @escaping () -> Bool) throws(FileError) -> Int? {
        let directory = try state.withLock { state throws(FileError) in try state.epochs.openDirectory() }
        let file: OwnFile
        do throws(FileError) {
            file = try directory.open(name, O_RDONLY)
        } catch {
            if error.code == ENOENT { _ = try begin() }
            throw error
        }
        guard file.size <= 2 * maxBytes + 1 << 20 else { throw FileError(path, "it is larger than the cache") }
        var reader: SnapshotReader
        do throws(SnapshotFault) {
            reader = try SnapshotReader(size: file.size, origin: state.withLock { $0.origin }) { offset, count in
                isOver() ? [] : file.read(at: offset, count)
            }
        } catch {
            throw FileError(path, error.rawValue, isForeign: error == .foreign && !isOver())
        }
        // The file is one of ours: only now is another one made beside it.
        let (isValid, numbers) = try begin()
        guard isValid else {
            throw FileError(path, "the gateway that wrote it did not end in order, and writes may have come since")
        }
        return try restore(&reader, numbers, into: gate, until: isOver)
    }

    /// Begins the epochs. Returns true if the file is valid, and the current numbers.
    private func begin() throws(FileError) -> (isValid: Bool, numbers: [EpochFile.Number]) {
        try state.withLock { state throws(FileError) in
            (try state.epochs.begin(now: Process.now), state.epochs.numbers)
        }
    }

    private func restore(
        _ reader: inout SnapshotReader, _ numbers: [EpochFile.Number], into gate: Gate, until isOver: () -> Bool
    ) throws(FileError) -> Int {
        let (now, wallClock) = (Process.now, Process.wallClock())
        let epochs = reader.epochs
        var pages = 0
        do throws(SnapshotFault) {
            while let page = try reader.next() {
                guard !isOver() else {
                    state.withLock { $0.isPartial = true }
                    break
                }
                let isTaken = gate.restore(page, now: now, wallClock: wallClock) { scope in
                    let number = numbers[Int(scope.index)]
                    return number.bits == epochs[Int(scope.index)] && !number.isInFlight
                }
                if isTaken { pages += 1 }
            }
        } catch {
            throw FileError(path, error.rawValue)
        }
        // For writes of other processes during the reading.
        refresh(gate.cache)
        return pages
    }
}
