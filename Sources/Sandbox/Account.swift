/// A domain and the jobs in it.
struct Domain: Sendable {
    let position: Position
    let jobs: [JobKind: JobList]

    var id: Identifier { Identifier(key: position.key) }
}

/// All that the sandbox knows: the domains of one account, made from a seed and never changed.
struct Account: Sendable {
    /// 2022-04-15T05:20:00Z, in milliseconds: nothing in the sandbox was created later. Fixed, so that the answers of one
    /// seed are the same whenever they are asked for.
    static let epoch: Int64 = 1_650_000_000_000
    private static let day: Int64 = 86_400_000

    /// Newest first.
    let domains: [Domain]
    private let places: [Identifier: Int]

    init(seed: UInt64, domains count: Int, jobs: Int) {
        let keys = Keys(seed: seed)
        domains = (0..<count).map { domain in
            let key = keys.domain(domain)
            var random = SplitMix64(seed: key)
            let age = 700 * Self.day + Int64(random.below(UInt64(300 * Self.day)))
            var lists: [JobKind: JobList] = [:]
            for kind in JobKind.allCases {
                lists[kind] = JobList(count: jobs, newest: Self.epoch, seed: random.next()) { job in
                    keys.job(job, kind, domain: domain)
                }
            }
            return Domain(position: Position(createdAt: Self.epoch - age, key: key), jobs: lists)
        }.sorted { $0.position < $1.position }
        places = Dictionary(domains.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The domain with an identifier.
    func domain(_ id: String) -> Domain? {
        guard let place = Identifier(id).flatMap({ places[$0] }) else { return nil }
        return domains[place]
    }
}

/// Keys that look random, are all different, and do not depend on how many there are: a permutation of plain numbers.
private struct Keys {
    let seed: UInt64

    func domain(_ index: Int) -> UInt64 { key(index, 0, 0) }

    func job(_ index: Int, _ kind: JobKind, domain: Int) -> UInt64 { key(domain, Int(kind.rawValue) + 1, index) }

    /// More bits for each number than `SandboxOptions` lets it have.
    private func key(_ domain: Int, _ list: Int, _ index: Int) -> UInt64 {
        SplitMix64.mix(seed &+ UInt64(truncatingIfNeeded: domain << 32 | list << 30 | index))
    }
}
