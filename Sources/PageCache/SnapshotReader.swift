internal import Primitives

/// Reads a snapshot of `SnapshotWriter`, one page at a time. The file is read twice, because its checksum is verified before any of
/// its pages is used. The reader holds one page or `pieceBytes` in memory, whichever is more.
public struct SnapshotReader: ~Copyable {
    /// Returns `count` bytes of a file from an offset on; fewer at its end or after a read error.
    public typealias Source = (_ offset: Int, _ count: Int) -> [UInt8]

    /// The longest span of a lifetime: 72 hours.
    private static let longest: Int64 = 72 * 3_600_000_000_000
    private static let pieceBytes = 64 * 1024
    private static let checksumBytes = 8

    /// The number of each scope's epoch when the pages were collected.
    public private(set) var epochs: [UInt64] = []

    private let source: Source
    /// The offset of the checksum.
    private let end: Int
    /// The offset of the next byte.
    private var position = 0
    /// The bytes from `position` on that have been read ahead.
    private var piece: ArraySlice<UInt8> = []

    /// Verifies a file and reads its head.
    ///
    /// - Parameters:
    ///   - size: the size of the file in bytes.
    ///   - origin: the origin that was given to the writer.
    ///   - source: reads the file, which must not change meanwhile.
    /// - Throws: `SnapshotFault` if the file is not a whole snapshot of this version and origin.
    public init(size: Int, origin: [UInt8], from source: @escaping Source) throws(SnapshotFault) {
        self.source = source
        end = max(0, size - Self.checksumBytes)
        let magic = SnapshotWriter.magic
        let head = source(0, magic.count)
        guard head.starts(with: magic.dropLast()) else { throw .foreign }
        guard head == magic else { throw .otherVersion }
        guard Self.checksum(source, to: end) == Self.number(source(end, Self.checksumBytes)[...]) else {
            throw .damaged
        }
        _ = try take(magic.count)
        let count = Int(Self.number(try take(4)))
        guard count == origin.count, try take(count).elementsEqual(origin) else { throw .otherOrigin }
        epochs.reserveCapacity(EpochScope.count)
        for _ in EpochScope.all { epochs.append(Self.number(try take(8))) }
    }

    /// The next page, `nil` at the end.
    ///
    /// - Throws: `SnapshotFault.malformed` for lengths or spans out of range, `.damaged` if the file cannot be read.
    public mutating func next() throws(SnapshotFault) -> SavedPage? {
        guard position < end else { return nil }
        let keyCount = Int(Self.number(try take(4)))
        let bodyCount = Int(Self.number(try take(4)))
        let fetchedAt = WallInstant(nanoseconds: Int64(bitPattern: Self.number(try take(8))))
        var spans: [Int64] = []
        for _ in 0..<3 { spans.append(Int64(bitPattern: Self.number(try take(8)))) }
        guard spans.allSatisfy({ (0...Self.longest).contains($0) }) else { throw .malformed }
        return SavedPage(
            key: Array(try take(keyCount)), body: Array(try take(bodyCount)), fetchedAt: fetchedAt,
            lifetime: Page.Lifetime(fresh: spans[0], staleWhileRevalidate: spans[1], staleIfError: spans[2]))
    }

    private mutating func take(_ count: Int) throws(SnapshotFault) -> ArraySlice<UInt8> {
        guard count <= end - position else { throw .malformed }
        if piece.count < count { piece = source(position, max(count, min(Self.pieceBytes, end - position)))[...] }
        guard piece.count >= count else { throw .damaged }
        defer {
            position += count
            piece = piece.dropFirst(count)
        }
        return piece.prefix(count)
    }

    private static func checksum(_ source: Source, to end: Int) -> UInt64 {
        var checksum = Checksum()
        var position = 0
        while position < end {
            let piece = source(position, min(pieceBytes, end - position))
            guard !piece.isEmpty else { break }
            checksum.add(piece.span, to: piece.count)
            position += piece.count
        }
        return checksum.value
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
