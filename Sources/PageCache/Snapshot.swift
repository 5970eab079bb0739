public import Primitives

/// A page in a snapshot. Its time is of the wall clock, because a monotonic clock does not outlive the machine's boot.
public struct SavedPage: Sendable, Equatable {
    public var key: [UInt8]
    public var body: [UInt8]
    public var fetchedAt: WallInstant
    public var lifetime: Page.Lifetime

    public init(key: [UInt8], body: [UInt8], fetchedAt: WallInstant, lifetime: Page.Lifetime) {
        self.key = key
        self.body = body
        self.fetchedAt = fetchedAt
        self.lifetime = lifetime
    }

    /// - Parameters:
    ///   - now: monotonic nanoseconds.
    ///   - wallClock: the same instant.
    init(_ page: Page, now: Int64, wallClock: WallInstant) {
        key = page.key.bytes
        body = page.body
        fetchedAt = wallClock - (now &- page.fetchedAt)
        lifetime = Page.Lifetime(
            fresh: max(0, page.freshUntil &- page.fetchedAt),
            staleWhileRevalidate: page.revalidateUntil &- page.freshUntil,
            staleIfError: page.usableUntil &- page.freshUntil)
    }
}

/// The reason why a snapshot file is refused.
public enum SnapshotFault: String, Error, Sendable {
    case foreign = "it is no snapshot of this program's"
    case otherVersion = "it was written by another version"
    case otherOrigin = "its pages are of other services than are configured now"
    case damaged = "it is damaged: its checksum is wrong"
    case malformed = "it is malformed"
}

/// Writes a snapshot: the pages of a cache, for the next process.
///
/// Numbers are big-endian. The file consists of a magic word, a version, the origin of the pages (a 4-byte length and the
/// bytes), a number for the epoch of each scope (8 bytes each), the pages, and a checksum of all before it. A page consists of
/// the lengths of key and body (4 bytes each), the instant of its fetch and the three spans of its lifetime (8 bytes each),
/// the key and the body.
public struct SnapshotWriter: ~Copyable {
    static let magic = Array("JPpages".utf8) + [version]
    static let version: UInt8 = 3

    private var bytes: [UInt8] = []
    private var checksum = Checksum()

    /// - Parameters:
    ///   - origin: identifies the services that the pages came from. A reader with another one refuses the file.
    ///   - epochs: a number for each scope, which each write changes. Missing ones count as 0.
    public init(origin: [UInt8], epochs: [UInt64]) {
        bytes += Self.magic
        append(UInt32(truncatingIfNeeded: origin.count))
        bytes += origin
        for scope in EpochScope.all { append(epochs.indices.contains(Int(scope.index)) ? epochs[Int(scope.index)] : 0) }
    }

    /// The number of bytes that wait for `take`.
    public var pending: Int { bytes.count }

    /// Appends a page.
    public mutating func append(_ page: SavedPage) {
        append(UInt32(truncatingIfNeeded: page.key.count))
        append(UInt32(truncatingIfNeeded: page.body.count))
        append(UInt64(bitPattern: page.fetchedAt.nanoseconds))
        append(UInt64(bitPattern: page.lifetime.fresh))
        append(UInt64(bitPattern: page.lifetime.staleWhileRevalidate))
        append(UInt64(bitPattern: page.lifetime.staleIfError))
        bytes += page.key
        bytes += page.body
    }

    /// Removes and returns the bytes that were appended since the last call.
    public mutating func take() -> [UInt8] {
        let taken = bytes
        bytes.removeAll(keepingCapacity: true)
        checksum.add(taken.span, to: taken.count)
        return taken
    }

    /// The last bytes: those that wait, and the checksum.
    public consuming func finish() -> [UInt8] {
        var taken = take()
        bytes = []
        append(checksum.value)
        taken += bytes
        return taken
    }

    private mutating func append(_ number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: type(of: number).bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

/// A checksum like FNV-1a with 64 bits (https://datatracker.ietf.org/doc/draft-eastlake-fnv/), but over words of eight bytes
/// instead of bytes, because the start waits for it. It detects damage, not malice.
struct Checksum {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325
    private var word: UInt64 = 0
    private var count: UInt64 = 0

    mutating func add(_ bytes: Span<UInt8>, to end: Int) {
        var index = 0
        while index < end, count & 7 != 0 {
            add(bytes[index])
            index += 1
        }
        var state = state
        while index + 8 <= end {
            var word: UInt64 = 0
            for offset in 0..<8 { word |= UInt64(bytes[index + offset]) << UInt64(8 * offset) }
            state = Self.mixed(state, word)
            index += 8
            count += 8
        }
        self.state = state
        while index < end {
            add(bytes[index])
            index += 1
        }
    }

    /// The last word is padded with zeros; the count distinguishes them from bytes.
    var value: UInt64 { Self.mixed(Self.mixed(state, word), count) }

    private mutating func add(_ byte: UInt8) {
        word |= UInt64(byte) << (8 * (count & 7))
        count += 1
        guard count & 7 == 0 else { return }
        state = Self.mixed(state, word)
        word = 0
    }

    private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word) &* 0x0000_0100_0000_01b3
        // A product carries upwards only, so the upper bits are mixed into the lower ones.
        return product ^ product >> 32
    }
}
