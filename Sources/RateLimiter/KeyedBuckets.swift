internal import Locking

/// A bucket for each key of those that come, whoever invents them: memory is bounded, and nobody loses a bucket that is not
/// full.
///
/// A bucket that is full may be forgotten, because a new one is full too. At the bound a newcomer takes the place of a full
/// one; where none is found after a few looks, it shares a bucket with all others that find no room.
///
/// Keys are bytes rather than any hashable type: generic code is not specialised across modules, and was four times slower.
public final class KeyedBuckets: Sendable {
    private struct Key: Hashable {
        let bytes: [UInt8]
        let hash: Int

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            var hasher = Hasher()
            // Unsafe only in its pointer, which does not leave the closure.
            unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }

        static func == (left: Key, right: Key) -> Bool { left.hash == right.hash && left.bytes == right.bytes }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    private struct Shard {
        var places: [Key: Int] = [:]
        var records: [(key: Key, bucket: TokenBucket)] = []
        /// The bucket of those who find no room.
        var overflow = TokenBucket.full
        var overflows: UInt64 = 0
        /// Where the search for full buckets goes on.
        var hand = 0
    }

    private final class Slot: Sendable {
        let shard = Locked(Shard())
    }

    /// What is known of all keys together.
    public struct Figures: Sendable, Equatable {
        /// Keys that have a bucket of their own.
        public var keys: Int
        /// Takes from the shared bucket.
        public var overflows: UInt64
    }

    /// What each is filled with.
    public let quota: Quota
    private let slots: [Slot]
    private let capacity: Int

    /// - Parameters:
    ///   - quota: what each bucket is filled with.
    ///   - capacity: the most keys that have a bucket of their own, about.
    public init(_ quota: Quota, capacity: Int = 1 << 17) {
        self.quota = quota
        slots = (0..<16).map { _ in Slot() }
        self.capacity = max(1, capacity / slots.count)
    }

    /// Takes a token of a key's bucket if there is one.
    public func take(_ bytes: [UInt8], now: Int64) -> TokenBucket.Decision {
        let key = Key(bytes)
        return slot(key).shard.withLock { shard in
            guard let place = place(of: key, in: &shard, now: now) else {
                shard.overflows &+= 1
                return shard.overflow.take(quota, now: now)
            }
            return shard.records[place].bucket.take(quota, now: now)
        }
    }

    /// Puts a token back that was taken and not used.
    public func giveBack(_ bytes: [UInt8]) {
        let key = Key(bytes)
        slot(key).shard.withLock { shard in
            if let place = shard.places[key] {
                shard.records[place].bucket.giveBack(quota)
            } else {
                shard.overflow.giveBack(quota)
            }
        }
    }

    public var figures: Figures {
        slots.reduce(into: Figures(keys: 0, overflows: 0)) { sum, slot in
            slot.shard.withLock { shard in
                sum.keys += shard.records.count
                sum.overflows += shard.overflows
            }
        }
    }

    private func slot(_ key: Key) -> Slot { slots[key.hash >> 7 & (slots.count - 1)] }

    /// The record of a key, a new one if there is room for it.
    private func place(of key: Key, in shard: inout Shard, now: Int64) -> Int? {
        if let place = shard.places[key] { return place }
        Self.reclaim(&shard, looks: shard.records.count < capacity ? 2 : 16, now: now)
        guard shard.records.count < capacity else { return nil }
        shard.places[key] = shard.records.count
        shard.records.append((key, .full))
        return shard.records.count - 1
    }

    /// Forgets full buckets, if a few looks find any.
    private static func reclaim(_ shard: inout Shard, looks: Int, now: Int64) {
        for _ in 0..<min(looks, shard.records.count) {
            shard.hand = shard.hand + 1 < shard.records.count ? shard.hand + 1 : 0
            guard shard.records[shard.hand].bucket.isFull(now: now) else { continue }
            shard.places[shard.records[shard.hand].key] = nil
            let last = shard.records.removeLast()
            guard shard.hand < shard.records.count else { continue }
            shard.records[shard.hand] = last
            shard.places[last.key] = shard.hand
        }
    }
}
