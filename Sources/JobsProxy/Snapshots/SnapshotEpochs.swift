internal import Glibc
internal import PageCache

/// What this process knows of the epochs of a snapshot, and tells of them. Several processes may have the same file: one that
/// ends and one that takes its place. Times are monotonic nanoseconds.
///
/// A number changes before a write is sent and when it has ended. As long as a process runs, the snapshot is believed for
/// `belief` at a time: where the file can no longer be written, it is out of date as soon as that is over, and a write is not
/// sent before.
struct SnapshotEpochs: ~Copyable {
    /// How long a snapshot is believed of which nothing more is heard.
    static let belief: Int64 = 5_000_000_000
    private static let renewal: Int64 = 1_000_000_000

    /// As another process that reads the snapshot now would find them.
    private(set) var numbers: [EpochFile.Number] = []
    private let directoryPath: String
    private let name: String
    /// The system's own id of its boot; zeros if it has none to tell.
    private let boot: [UInt8]
    private var directory: PrivateDirectory?
    /// The writes of this process that are on their way, by scope.
    private var inFlight: [EpochScope: Int] = [:]
    /// Scopes whose numbers must change yet.
    private var overdue: Set<EpochScope> = []
    /// Scopes in which another process has written, and which `refresh` has not returned yet.
    private var raised: Set<EpochScope> = []
    /// Until when the snapshot is believed, as far as this process has seen to it.
    private var believedUntil: Int64 = .min

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

    /// Makes the file say that a process runs, and make it anew if it is none.
    ///
    /// - Returns: whether the snapshot may be believed: the process before has ended in order, or it runs, or did until a moment
    ///   ago.
    /// - Throws: `FileError` if that cannot be written; the snapshot must not be believed then.
    mutating func begin(now: Int64) throws(FileError) -> Bool {
        let file = try open(O_RDWR | O_CREAT)
        var contents = file.contents ?? EpochFile.Contents(boot: boot, believedUntil: .min)
        let isBelieved = contents.hasEnded || isThisBoot(contents) && isBelief(contents.believedUntil, now: now)
        for scope in EpochScope.all {
            let (place, isOwn) = (Int(scope.index), inFlight[scope] != nil)
            let wasInFlight = contents.numbers[place].isInFlight
            // What is not believed now must not be by the next start, which finds that this one runs, or did until a moment ago. After an
            // end in order, no other process is left whose writes these could be.
            guard isOwn || !isBelieved || contents.hasEnded && wasInFlight else { continue }
            contents.numbers[place] = EpochFile.Number(isInFlight: isOwn || !isBelieved && wasInFlight)
        }
        contents.hasEnded = false
        contents.boot = boot
        contents.believedUntil = now + Self.belief
        try file.write(contents)
        // Before the first write is sent: what follows need not be on the disk, because another boot does not believe it.
        try file.synchronize()
        try openDirectory().synchronize()
        numbers = contents.numbers
        believedUntil = contents.believedUntil
        return isBelieved
    }

    /// Makes the file say that the process has ended, and the snapshot be believed from now on.
    ///
    /// - Returns: `nil`, or the moment until which the process must not end: what has changed cannot be written.
    mutating func end(now: Int64) -> Int64? {
        // Where `begin` never came, the file says of the process before what is still so.
        guard !numbers.isEmpty else { return nil }
        do throws(FileError) {
            try catchUp()
            let file = try open(O_RDWR)
            // The numbers first, so that they are on the disk if the word that they are right is.
            try file.synchronize()
            try file.write(hasEnded: true)
            try file.synchronize()
            return nil
        } catch {
            return overdue.isEmpty ? nil : stillBelieved(now: now)
        }
    }

    // MARK: Writes

    /// A write is about to be sent.
    ///
    /// - Returns: `nil` if it may be; else the moment before which it must not be, and it has not begun.
    mutating func writeBegins(_ scopes: [EpochScope], now: Int64) -> Int64? {
        for scope in scopes { inFlight[scope, default: 0] += 1 }
        overdue.formUnion(scopes)
        do throws(FileError) {
            try catchUp()
            return nil
        } catch {
            guard let until = stillBelieved(now: now) else { return nil }
            countDown(scopes)
            return until
        }
    }

    mutating func writeEnded(_ scopes: [EpochScope]) {
        countDown(scopes)
        // Numbers of writes that are on their way stay as they are, until the last one has ended.
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
            // Without it no snapshot is believed. It may come back, with what was mounted late.
            return
        }
        for scope in overdue {
            let (place, found) = (Int(scope.index), file.number(of: scope))
            let isOthers = numbers.indices.contains(place) && found != numbers[place]
            if isOthers { raised.insert(scope) }
            // Where another process has a write on its way, that one tells of its end: until then no page is believed.
            let number = EpochFile.Number(isInFlight: inFlight[scope] != nil || isOthers && found.isInFlight)
            try file.write(number, of: scope)
            if numbers.indices.contains(place) { numbers[place] = number }
        }
        // After the numbers: a process that ends meanwhile has put them on the disk with its own last word.
        if file.hasEnded { try begin(file) }
        overdue.removeAll()
    }

    /// Another process has ended, and said so; this one has not.
    private func begin(_ file: EpochFile) throws(FileError) {
        try file.write(hasEnded: false)
        try file.synchronize()
    }

    /// The moment until which another process would believe the snapshot as it is; `nil` if none would, or for ever.
    private mutating func stillBelieved(now: Int64) -> Int64? {
        var until = believedUntil
        do throws(FileError) {
            guard let contents = try open(O_RDONLY).contents, !contents.hasEnded, isThisBoot(contents) else {
                return nil
            }
            until = contents.believedUntil
        } catch {
            guard error.code != ENOENT else { return nil }
        }
        return isBelief(until, now: now) ? until : nil
    }

    /// Returns true if a snapshot is believed now that is believed until then. No process renews it for longer than `belief`.
    private func isBelief(_ until: Int64, now: Int64) -> Bool { now < until && until <= now &+ Self.belief }

    private func isThisBoot(_ contents: EpochFile.Contents) -> Bool {
        contents.boot == boot && boot.contains { $0 != 0 }
    }

    // MARK: Now and then

    /// Writes what could not be written before, learns of writes of other processes, and has the snapshot be believed for a
    /// while longer. Called a few times a second.
    ///
    /// - Returns: the scopes in which another process has written: their pages are void here too.
    /// - Throws: `FileError`.
    mutating func refresh(now: Int64) throws(FileError) -> Set<EpochScope> {
        try catchUp()
        guard let contents = try open(O_RDONLY).contents else { throw FileError(name, "it is damaged") }
        for (place, scope) in EpochScope.all.enumerated()
        where !numbers.indices.contains(place) || contents.numbers[place] != numbers[place] { raised.insert(scope) }
        numbers = contents.numbers
        believedUntil = contents.believedUntil
        if contents.hasEnded || !isThisBoot(contents) || believedUntil < now + Self.belief - Self.renewal {
            let file = try open(O_RDWR)
            try file.write(boot: boot, believedUntil: now + Self.belief)
            believedUntil = now + Self.belief
            if file.hasEnded { try begin(file) }
        }
        defer { raised = [] }
        return raised
    }
}

extension SnapshotEpochs {
    /// The id that Linux has drawn for this boot, and that all of its processes read alike; empty where it cannot be read.
    static var currentBoot: [UInt8] {
        guard let text = try? File.read("/proc/sys/kernel/random/boot_id") else { return [] }
        var digits: [UInt8] = []
        for byte in text {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { continue }
            digits.append(UInt8(digit))
        }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
