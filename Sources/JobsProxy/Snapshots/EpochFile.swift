internal import PageCache
internal import Primitives

/// The file beside a snapshot that says whether the snapshot is valid, and for which scopes its pages are.
///
/// Numbers are big-endian: a magic word (8 bytes), 1 if the last process has ended in order (8), the boot of the process that
/// runs if not (16), the end of its lease (8), zeros up to the 64th byte, and a number for each scope. Each is written and read
/// in place. See docs/design.md, "Snapshots".
struct EpochFile {
    /// The number of a scope: random at each change, so that no two processes ever write the same one. The lowest bit is 1 while a
    /// write is in progress.
    struct Number: Equatable, Sendable {
        let bits: UInt64

        init(bits: UInt64) { self.bits = bits }

        init(isInFlight: Bool) {
            bits = UInt64.random(in: 0...UInt64.max) & ~1 | (isInFlight ? 1 : 0)
        }

        var isInFlight: Bool { bits & 1 == 1 }
    }

    struct Contents {
        var hasEnded = false
        /// Zeros if it is not known.
        var boot: [UInt8]
        /// By the clock of that boot.
        var validUntil: MonotonicInstant
        /// In the order of the scopes' indices.
        var numbers = EpochScope.all.map { _ in Number(isInFlight: false) }
    }

    private static let magic = Array("JPepoch1".utf8)
    private static let endPlace = 8
    private static let bootPlace = 16
    private static let leasePlace = 32
    private static let numbersPlace = 64
    private static let size = numbersPlace + 8 * EpochScope.count
    static let bootBytes = 16

    private let file: OwnFile

    init(_ file: OwnFile) { self.file = file }

    /// `nil` if the file is not one of these, or not a whole one.
    var contents: Contents? {
        let bytes = file.read(at: 0, Self.size)
        guard bytes.count == Self.size, bytes.starts(with: Self.magic) else { return nil }
        func number(_ place: Int) -> UInt64 { Self.number(bytes[place..<place + 8]) }
        return Contents(
            hasEnded: number(Self.endPlace) == 1, boot: Array(bytes[Self.bootPlace..<Self.bootPlace + Self.bootBytes]),
            validUntil: MonotonicInstant(nanoseconds: Int64(bitPattern: number(Self.leasePlace))),
            numbers: EpochScope.all.map { Number(bits: number(Self.place($0))) })
    }

    var hasEnded: Bool { file.read(at: Self.endPlace, 8).last == 1 }

    func number(of scope: EpochScope) -> Number {
        Number(bits: Self.number(file.read(at: Self.place(scope), 8)[...]))
    }

    func write(_ contents: Contents) throws(FileError) {
        var bytes = [UInt8](repeating: 0, count: Self.numbersPlace)
        bytes.replaceSubrange(0..<Self.magic.count, with: Self.magic)
        for number in contents.numbers { bytes += Self.bytes(number.bits) }
        try file.write(bytes, at: 0)
        try write(boot: contents.boot, validUntil: contents.validUntil)
        try write(hasEnded: contents.hasEnded)
    }

    func write(hasEnded: Bool) throws(FileError) { try file.write(Self.bytes(hasEnded ? 1 : 0), at: Self.endPlace) }

    func write(boot: [UInt8], validUntil: MonotonicInstant) throws(FileError) {
        try file.write(boot + Self.bytes(UInt64(bitPattern: validUntil.nanoseconds)), at: Self.bootPlace)
    }

    func write(_ number: Number, of scope: EpochScope) throws(FileError) {
        try file.write(Self.bytes(number.bits), at: Self.place(scope))
    }

    /// Returns when all of it is on the disk.
    func synchronize() throws(FileError) { try file.synchronize() }

    private static func place(_ scope: EpochScope) -> Int { numbersPlace + 8 * Int(scope.index) }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
