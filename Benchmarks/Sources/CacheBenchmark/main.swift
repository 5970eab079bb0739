import Foundation

/// The measurements, by name; without a name, all of them. Memory comes first, while the process has none to use again.
let measurements: [(name: String, run: () -> Void)] = [("memory", memory), ("ratios", ratios), ("lookups", lookups)]

func ratios() {
    print("hit ratio, \(Trace.count) requests, room for 1,000 equal pages")
    print("             LRU  W-TinyLFU (ours)  optimum")
    for trace in Trace.all {
        let figures = [Policies.leastRecentlyUsed, Policies.ours, Policies.optimum].map { policy in
            Double(policy(trace, 1000)) / Double(trace.pages.count)
        }
        print(
            "\(trace)".padding(toLength: 10, withPad: " ", startingAt: 0),
            figures.map { String(format: "%.3f", $0) }.joined(separator: "  "))
    }
}

func lookups() {
    print("lookup of a fresh page, its hash given, one thread")
    for (pages, exponent) in [(1000, 0.0), (1000, 1), (1_000_000, 0), (1_000_000, 1)] {
        let cost = Lookups.cost(pages: pages, exponent: exponent)
        print("\(pages) pages, \(exponent == 0 ? "uniform" : "Zipf \(exponent)"): \(Int(cost)) ns")
    }
}

func memory() {
    print("memory of 100,000 pages of 2 KB")
    let figures = Memory.measure(pages: 100_000, bodyBytes: 2048)
    print(
        "the process grew by", String(format: "%.3f", Double(figures.grown) / Double(figures.counted)),
        "of what is counted")
    print("over body and key, a page takes \((figures.grown - figures.content) / 100_000) bytes")
}

let chosen = CommandLine.arguments.dropFirst()
let known = measurements.map(\.name)
guard chosen.allSatisfy(known.contains) else {
    print("usage: CacheBenchmark [\(known.joined(separator: " | "))] …")
    exit(2)
}
for measurement in measurements where chosen.isEmpty || chosen.contains(measurement.name) { measurement.run() }
