import Foundation
import Primitives
import RateLimiter

/// What a caller's decision costs, and what ten million invented names take of memory.

/// Nanoseconds of one of `count` calls, in the median over batches.
func cost(_ count: Int, _ body: (Int) -> Void) -> Double {
    let batch = 1000
    var costs: [Double] = []
    for start in stride(from: 0, to: count, by: batch) {
        let elapsed = ContinuousClock().measure { for number in start..<start + batch { body(number) } }
        costs.append(elapsed / .nanoseconds(batch))
    }
    return costs.sorted()[costs.count / 2]
}

var resident: Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
}

func at(_ nanoseconds: Int64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

let flooded = KeyedBuckets(Quota(rate: 0.01, burst: 2))
let honest = (0..<1000).map { Array("honest-\($0)".utf8) }
for name in honest { for _ in 0..<2 { _ = flooded.take(name, now: at(0)) } }
let before = resident
for number in 0..<10_000_000 { _ = flooded.take(Array("invented-caller-name-\(number)".utf8), now: at(Int64(number))) }
let grown = Double(resident - before) / 1_048_576
let kept = honest.count { flooded.take($0, now: at(20_000_000)) != .admitted }
print("10,000,000 invented names: memory grew by \(Int(grown)) MiB, \(kept) of 1,000 honest callers' limits unchanged")

let bucket = AtomicBucket(Quota(rate: 1e7, burst: 1e7))
print("a known caller's decision: \(Int(cost(4_000_000) { _ = bucket.take(now: at(Int64($0) * 1000)) })) ns")
let name = Array("dashboard".utf8)
let one = KeyedBuckets(Quota(rate: 1e7, burst: 1e7))
print("one key's: \(Int(cost(4_000_000) { _ = one.take(name, now: at(Int64($0) * 1000)) })) ns")
let many = KeyedBuckets(Quota(rate: 1, burst: 1000))
let names = (0..<100_000).map { Array("caller-number-\($0)".utf8) }
for name in names { _ = many.take(name, now: at(0)) }
let order = (0..<4_000_000).map { _ in Int.random(in: 0..<names.count) }
print("with 100,000 keys: \(Int(cost(order.count) { _ = many.take(names[order[$0]], now: at(0)) })) ns")
