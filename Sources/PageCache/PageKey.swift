/// The key of a page: every byte that distinguishes it from other pages, and their hash.
///
/// Keys are equal if all their bytes are; the hash only finds the place. It has a new seed in every process, so that a client
/// cannot choose keys that collide.
public struct PageKey: Sendable, Hashable {
    public let bytes: [UInt8]
    public let hash: UInt64

    /// The key with these bytes.
    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var hasher = Hasher()
        // Unsafe because of the pointer, which does not leave the closure.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        hash = UInt64(bitPattern: Int64(hasher.finalize()))
    }

    public static func == (left: PageKey, right: PageKey) -> Bool {
        left.hash == right.hash && left.bytes == right.bytes
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
