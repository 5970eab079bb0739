internal import Glibc
internal import PageCache
internal import Primitives

/// The epochs of a snapshot, as this process knows them and shares them with others. Two processes may use the same file: one that
/// ends, and one that takes its place.
///
/// A number changes before a write is sent and when it has ended. A process that runs renews the snapshot's lease: if the file can
/// no longer be written, the snapshot is invalid when the lease ends, and a write is not sent before.
struct SnapshotEpochs: ~Copyable {
    /// The time for which a snapshot is valid after the last renewal, in nanoseconds.
    static let lease: Int64 = 5_000_000_000
    private static let renewal: Int64 = 1_000_000_000

    /// The numbers as another process that reads the file now finds them.
    private(set) var numbers: [EpochFile.Number] = []
    private let directoryPath: String
    private let name: String
    /// The system's id of this boot; zeros if it is not known.
    private let boot: [UInt8]
    private var directory: PrivateDirectory?
    /// The writes of this process that are on their way, by scope.
    private var inFlight: [EpochScope: Int] = [:]
    /// Scopes whose numbers have still to change.
    private var overdue: Set<EpochScope> = []
    /// Scopes in which another process has written, and which `refresh` has not returned yet.
    private var raised: Set<EpochScope> = []
    /// The end of the lease, as this process wrote or read it last.
    private var validUntil = MonotonicInstant.distantPast

    /// - Parameters:
    ///   - directory: where the file is.
    ///   - boot: the boot's id, of `EpochFile.bootBytes`; empty if it is not known.
    init(directory: String, name: String, boot: [UInt8]) {
        directoryPath = directory
        self.name = name
        self.boot = boot.count == EpochFile.bootBytes ? boot : [UInt8](repeating: 0, count: EpochFile.bootBytes)
    }

    /// The directory of the files, which is judged before it is used.
    mutating func openDirectory() throws(FileError) -> PrivateDirectory {
        if let directory { return directory }
        let opened = try PrivateDirectory(directoryPath)
        directory = opened
        return opened
    }

    private mutating func open(_ flags: Int32) throws(FileError) -> EpochFile {
        EpochFile(try openDirectory().open(name, flags))
    }

    // MARK: Start and end

    /// Records that a process runs, and creates the file if it is missing or damaged.
    ///
    /// - Returns: true if the snapshot is valid: the process before has ended in order, or its lease runs.
    /// - Throws: `FileError` if the file cannot be written; the snapshot must not be used then.
    mutating func begin(now: MonotonicInstant) throws(FileError) -> Bool {
        let file = try open(O_RDWR | O_CREAT)
        var contents = file.contents ?? EpochFile.Contents(boot: boot, validUntil: .distantPast)
        let isValid = contents.hasEnded || isThisBoot(contents) && isLease(contents.validUntil, now: now)
        for scope in EpochScope.all {
            let (place, isOwn) = (Int(scope.index), inFlight[scope] != nil)
            let wasInFlight = contents.numbers[place].isInFlight
            // A snapshot that is invalid now must stay so for the next start, which finds this process's lease. After an end in order,
            // a write in progress cannot be another process's, because none is left.
            guard isOwn || !isValid || contents.hasEnded && wasInFlight else { continue }
            contents.numbers[place] = EpochFile.Number(isInFlight: isOwn || !isValid && wasInFlight)
        }
        contents.hasEnded = false
        contents.boot = boot
        contents.validUntil = now + Self.lease
        try file.write(contents)
        // On the disk before the first write is sent. Later changes need not be: another boot does not accept this lease.
        try file.synchronize()
        try openDirectory().synchronize()
        numbers = contents.numbers
        validUntil = contents.validUntil
        return isValid
    }

    /// Records that the process has ended, which makes the snapshot valid without a lease.
    ///
    /// - Returns: `nil`, or the moment until which the process must not end, because a change could not be written.
    mutating func end(now: MonotonicInstant) -> MonotonicInstant? {
        // Without `begin`, the record of the process before is still true.
        guard !numbers.isEmpty else { return nil }
        do throws(FileError) {
            try catchUp()
            let file = try open(O_RDWR)
            // The numbers first, so that they are on the disk if the record of the end is.
            try file.synchronize()
            try file.write(hasEnded: true)
            try file.synchronize()
            return nil
        } catch {
            return overdue.isEmpty ? nil : remainingLease(now: now)
        }
    }

    // MARK: Writes

    /// A write is about to be sent.
    ///
    /// - Returns: `nil` if it may be sent; else the moment before which it must not be, and the write has not begun.
    mutating func writeBegins(_ scopes: [EpochScope], now: MonotonicInstant) -> MonotonicInstant? {
        for scope in scopes { inFlight[scope, default: 0] += 1 }
        overdue.formUnion(scopes)
        do throws(FileError) {
            try catchUp()
            return nil
        } catch {
            guard let until = remainingLease(now: now) else { return nil }
            countDown(scopes)
            return until
        }
    }

    mutating func writeEnded(_ scopes: [EpochScope]) {
        countDown(scopes)
        // The number of a scope stays until its last write in progress has ended.
        overdue.formUnion(scopes.filter { inFlight[$0] == nil })
        try? catchUp()
    }

    private mutating func countDown(_ scopes: [EpochScope]) {
        for scope in scopes {
            if let count = inFlight[scope], count > 1 { inFlight[scope] = count - 1 } else { inFlight[scope] = nil }
        }
    }

    /// Changes the numbers that are due.
    private mutating func catchUp() throws(FileError) {
        guard !overdue.isEmpty else { return }
        let file: EpochFile
        do throws(FileError) {
            file = try open(O_RDWR)
        } catch {
            guard error.code == ENOENT else { throw error }
            // Without the file no snapshot is valid. It may come back, when a file system is mounted late.
            return
        }
        for scope in overdue {
            let (place, found) = (Int(scope.index), file.number(of: scope))
            let isOthers = numbers.indices.contains(place) && found != numbers[place]
            if isOthers { raised.insert(scope) }
            // A write in progress of another process is ended by that process: until then no page of the scope is valid.
            let number = EpochFile.Number(isInFlight: inFlight[scope] != nil || isOthers && found.isInFlight)
            try file.write(number, of: scope)
            if numbers.indices.contains(place) { numbers[place] = number }
        }
        // After the numbers: a process that ends meanwhile has put them on the disk with its own record.
        if file.hasEnded { try begin(file) }
        overdue.removeAll()
    }

    /// Takes back another process's record of its end, because this one runs.
    private func begin(_ file: EpochFile) throws(FileError) {
        try file.write(hasEnded: false)
        try file.synchronize()
    }

    /// The moment until which the snapshot is valid for another process; `nil` if it is not, or has no end.
    private mutating func remainingLease(now: MonotonicInstant) -> MonotonicInstant? {
        var until = validUntil
        do throws(FileError) {
            guard let contents = try open(O_RDONLY).contents, !contents.hasEnded, isThisBoot(contents) else {
                return nil
            }
            until = contents.validUntil
        } catch {
            guard error.code != ENOENT else { return nil }
        }
        return isLease(until, now: now) ? until : nil
    }

    /// Returns true if a lease with this end runs now. None is longer than `lease`.
    private func isLease(_ until: MonotonicInstant, now: MonotonicInstant) -> Bool {
        now < until && until <= now + Self.lease
    }

    private func isThisBoot(_ contents: EpochFile.Contents) -> Bool {
        contents.boot == boot && boot.contains { $0 != 0 }
    }

    // MARK: Now and then

    /// Writes overdue numbers, learns of writes of other processes, and renews the lease. Called a few times a second.
    ///
    /// - Returns: the scopes in which another process has written: their pages are invalid here too.
    /// - Throws: `FileError`.
    mutating func refresh(now: MonotonicInstant) throws(FileError) -> Set<EpochScope> {
        try catchUp()
        guard let contents = try open(O_RDONLY).contents else { throw FileError(name, "it is damaged") }
        for (place, scope) in EpochScope.all.enumerated()
        where !numbers.indices.contains(place) || contents.numbers[place] != numbers[place] { raised.insert(scope) }
        numbers = contents.numbers
        validUntil = contents.validUntil
        if contents.hasEnded || !isThisBoot(contents) || validUntil < now + Self.lease - Self.renewal {
            let file = try open(O_RDWR)
            try file.write(boot: boot, validUntil: now + Self.lease)
            validUntil = now + Self.lease
            if file.hasEnded { try begin(file) }
        }
        defer { raised = [] }
        return raised
    }
}

extension SnapshotEpochs {
    /// The id that Linux has drawn for this boot, and that all of its processes read alike; empty where it cannot be read.
    static var currentBoot: [UInt8] {
        let digits = ((try? File.read("/proc/sys/kernel/random/boot_id")) ?? []).compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
