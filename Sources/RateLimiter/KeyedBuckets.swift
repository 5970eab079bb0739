internal import Locking
public import Primitives

/// A token bucket for each key, in bounded memory, though clients choose the keys. A bucket that is not full is never dropped.
///
/// A full bucket may be dropped, because a new one is full too. At the bound a new key takes the place of a full bucket. If
/// a few probes find none, the key shares one overflow bucket with all others that found no room.
///
/// Keys are bytes rather than a generic type: generic code is not specialised across modules, and was four times slower.
public final class KeyedBuckets: Sendable {
    private struct Key: Hashable {
        let bytes: [UInt8]
        let hash: Int

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            var hasher = Hasher()
            // Unsafe because of the pointer, which does not leave the closure.
            unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }

        static func == (left: Key, right: Key) -> Bool { left.hash == right.hash && left.bytes == right.bytes }

        func hash(into hasher: inout Hasher) { hasher.combine(hash) }
    }

    private struct Shard {
        var quota: Quota
        var places: [Key: Int] = [:]
        var records: [(key: Key, bucket: TokenBucket)] = []
        /// The shared bucket of keys without a bucket of their own.
        var overflow = TokenBucket.full
        var overflows: UInt64 = 0
        /// The record at which the search for full buckets continues.
        var hand = 0
    }

    private final class Slot: Sendable {
        let shard: Locked<Shard>

        init(_ quota: Quota) { shard = Locked(Shard(quota: quota)) }
    }

    /// Statistics over all keys.
    public struct Figures: Sendable, Equatable {
        /// The number of keys with a bucket of their own.
        public var keys: Int
        /// The number of takes from the shared overflow buckets so far.
        public var overflows: UInt64
    }

    private let slots: [Slot]
    private let capacity: Int

    /// - Parameters:
    ///   - quota: the rate and burst of each bucket.
    ///   - capacity: about how many keys may have a bucket of their own, at least 16.
    public init(_ quota: Quota, capacity: Int = 1 << 17) {
        slots = (0..<16).map { _ in Slot(quota) }
        self.capacity = max(1, capacity / slots.count)
    }

    /// Another quota is configured. Each bucket keeps its tokens, as far as the new burst has room for them.
    ///
    /// Complexity: O(n) in the number of keys; each lock is held for a sixteenth of it.
    public func change(to quota: Quota, now: MonotonicInstant) {
        for slot in slots {
            slot.shard.withLock { shard in
                for place in shard.records.indices {
                    shard.records[place].bucket.keepTokens(from: shard.quota, to: quota, now: now)
                }
                shard.overflow.keepTokens(from: shard.quota, to: quota, now: now)
                shard.quota = quota
            }
        }
    }

    /// Takes a token from a key's bucket if there is one.
    public func take(_ bytes: [UInt8], now: MonotonicInstant) -> TokenBucket.Decision {
        let key = Key(bytes)
        return slot(key).shard.withLock { shard in
            guard let place = place(of: key, in: &shard, now: now) else {
                shard.overflows &+= 1
                return shard.overflow.take(shard.quota, now: now)
            }
            return shard.records[place].bucket.take(shard.quota, now: now)
        }
    }

    /// Puts an unused token back.
    public func giveBack(_ bytes: [UInt8]) {
        let key = Key(bytes)
        slot(key).shard.withLock { shard in
            if let place = shard.places[key] {
                shard.records[place].bucket.giveBack(shard.quota)
            } else {
                shard.overflow.giveBack(shard.quota)
            }
        }
    }

    /// The statistics now.
    public var figures: Figures {
        slots.reduce(into: Figures(keys: 0, overflows: 0)) { sum, slot in
            slot.shard.withLock { shard in
                sum.keys += shard.records.count
                sum.overflows += shard.overflows
            }
        }
    }

    private func slot(_ key: Key) -> Slot { slots[key.hash >> 7 & (slots.count - 1)] }

    /// The index of a key's record, which is added if there is room; `nil` if there is none.
    private func place(of key: Key, in shard: inout Shard, now: MonotonicInstant) -> Int? {
        if let place = shard.places[key] { return place }
        Self.reclaim(&shard, looks: shard.records.count < capacity ? 2 : 16, now: now)
        guard shard.records.count < capacity else { return nil }
        shard.places[key] = shard.records.count
        shard.records.append((key, .full))
        return shard.records.count - 1
    }

    /// Drops full buckets among the next few records.
    private static func reclaim(_ shard: inout Shard, looks: Int, now: MonotonicInstant) {
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
