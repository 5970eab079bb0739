internal import Gateway
internal import Glibc
internal import Locking
internal import PageCache

/// Keeps the cache's pages in a file: writes them from time to time and at the end, reads them at the start.
///
/// The file never brings back a page that a write has made void: another one, `SnapshotEpochs`, knows what was written since.
/// See docs/design.md, "Snapshots".
final class SnapshotKeeper: WriteObserver {
    private struct State: ~Copyable {
        var epochs: SnapshotEpochs
        /// True if the path belongs to something that the gateway has not made, and must not touch.
        var isForeign = false
        /// True if reading the file was cut short: the cache holds only a part of its pages, and must not replace them.
        var isPartial = false
        /// Writes that have ended since the pages were saved last.
        var writes = 0
    }

    private let path: String
    private let name: String
    private let origin: [UInt8]
    private let maxBytes: Int
    private let state: Locked<State>

    /// - Parameters:
    ///   - path: the file. One with `.new` behind its name is there while it is written, and one with `.epochs` always.
    ///   - origin: what the pages are answers of.
    ///   - maxBytes: what the cache may hold; a file that is more than twice as large is none of ours.
    init(path: String, origin: [UInt8], maxBytes: Int, boot: [UInt8] = SnapshotEpochs.currentBoot) {
        self.path = path
        self.origin = origin
        self.maxBytes = maxBytes
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
        self.name = name
        state = Locked(
            State(epochs: SnapshotEpochs(directory: directory, name: name + ".epochs", boot: boot)))
    }

    // MARK: Writes

    func writeBegins(_ scopes: [EpochScope], now: Int64) -> Int64? {
        state.withLock { $0.isForeign ? nil : $0.epochs.writeBegins(scopes, now: now) }
    }

    func writeEnded(_ scopes: [EpochScope]) {
        state.withLock { state in
            state.writes += 1
            if !state.isForeign { state.epochs.writeEnded(scopes) }
        }
    }

    /// How many writes have ended since the pages were saved last; each has made some pages of the file void.
    var writesSinceSaved: Int { state.withLock { $0.writes } }

    /// Learns of writes of other processes that have the same file, and voids what they have made void. To be called a few times a
    /// second: the file is not believed if nothing is heard of this process for some seconds.
    func refresh(_ cache: PageCache) {
        let raised = state.withLock { state in
            state.isForeign || state.isPartial ? [] : (try? state.epochs.refresh(now: Process.now)) ?? []
        }
        for scope in raised { cache.invalidate(scope) }
    }

    /// Says that the process has ended, with which the file is believed whenever the next one begins.
    ///
    /// - Returns: `nil`, or the moment before which the process must not end, in monotonic nanoseconds.
    func end() -> Int64? { state.withLock { $0.isForeign ? nil : $0.epochs.end(now: Process.now) } }

    // MARK: Saving

    /// Writes the pages to the file, but for those that a write which is on its way may make void.
    ///
    /// - Returns: how many it was; `nil` if the path is somebody else's, or if another process writes the file just now.
    /// - Throws: `FileError`.
    func save(_ cache: PageCache) throws(FileError) -> Int? {
        let (numbers, raised, directory) = try state.withLock { state throws(FileError) in
            try Self.prepare(&state)
        }
        guard let directory else { return nil }
        // Before any page is collected: what others have made void since the numbers changed must not be among them.
        for scope in raised { cache.invalidate(scope) }
        let inFlight = Set(zip(EpochScope.all, numbers).filter { $0.1.isInFlight }.map(\.0))
        let new = name + ".new"
        let file = try directory.open(new, O_RDWR | O_CREAT)
        guard try file.claim(), directory.holds(file, as: new) else { return nil }
        var pages = 0
        do throws(FileError) {
            var writer = SnapshotWriter(origin: origin, epochs: numbers.map(\.bits))
            var position = 0
            func write(_ bytes: [UInt8]) throws(FileError) {
                try file.write(bytes, at: position)
                position += bytes.count
            }
            try cache.save(now: Process.now, wallClock: Process.wallClockNanoseconds, except: inFlight) {
                page throws(FileError) in
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
        directory.synchronize()
        return pages
    }

    /// The numbers of the epochs as they are now, what others have raised since they were looked at last, and where the file is:
    /// nowhere if it is not to be written.
    private static func prepare(
        _ state: inout State
    ) throws(FileError) -> (numbers: [EpochFile.Number], raised: Set<EpochScope>, directory: PrivateDirectory?) {
        guard !state.isForeign, !state.isPartial else { return ([], [], nil) }
        var raised: Set<EpochScope> = []
        do throws(FileError) {
            raised = try state.epochs.refresh(now: Process.now)
        } catch {
            // It is not there, or damaged.
            _ = try state.epochs.begin(now: Process.now)
        }
        state.writes = 0
        return (state.epochs.numbers, raised, try state.epochs.openDirectory())
    }

    // MARK: Loading

    /// Takes in the pages of the file, one after the other.
    ///
    /// - Parameter isOver: asked before each piece; the rest is left where it is once it says so.
    /// - Returns: how many it was; `nil` if there is no file.
    /// - Throws: a `CommandFailure` that says why the file is not used.
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
            // It stays as it is, and nothing is ever written there.
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
            reader = try SnapshotReader(size: file.size, origin: origin) { offset, count in
                isOver() ? [] : file.read(at: offset, count)
            }
        } catch {
            throw FileError(path, error.rawValue, isForeign: error == .foreign && !isOver())
        }
        // The file is one of ours: only now is another one made beside it.
        let (isBelieved, numbers) = try begin()
        guard isBelieved else {
            throw FileError(path, "the gateway that wrote it did not end in order, and writes may have come since")
        }
        return try restore(&reader, numbers, into: gate, until: isOver)
    }

    /// Whether the file may be believed, and the numbers of the epochs as they are now.
    private func begin() throws(FileError) -> (isBelieved: Bool, numbers: [EpochFile.Number]) {
        try state.withLock { state throws(FileError) in
            (try state.epochs.begin(now: Process.now), state.epochs.numbers)
        }
    }

    private func restore(
        _ reader: inout SnapshotReader, _ numbers: [EpochFile.Number], into gate: Gate, until isOver: () -> Bool
    ) throws(FileError) -> Int {
        let (now, wallClock) = (Process.now, Process.wallClockNanoseconds)
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
        // Of what was written meanwhile.
        refresh(gate.cache)
        return pages
    }
}
