/// What a page is stored under: every byte that makes it different from others, and their hash.
///
/// Two keys are equal if all their bytes are; the hash only finds the place. It is seeded anew in every process, so that
/// nobody outside can choose keys that collide.
public struct PageKey: Sendable, Hashable {
    public let bytes: [UInt8]
    public let hash: UInt64

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var hasher = Hasher()
        // Unsafe only in its pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        hash = UInt64(bitPattern: Int64(hasher.finalize()))
    }

    public static func == (left: PageKey, right: PageKey) -> Bool {
        left.hash == right.hash && left.bytes == right.bytes
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
