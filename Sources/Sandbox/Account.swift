/// A domain and the jobs in it.
struct Domain: Sendable {
    let position: Position
    let jobs: [JobKind: JobList]

    var id: Identifier { Identifier(key: position.key) }
}

/// All that the sandbox knows: the domains of one account, made from a seed and never changed.
struct Account: Sendable {
    /// 2022-04-15T05:20:00Z, in milliseconds: nothing in the sandbox is younger. Fixed, so that the answers of one seed
    /// are the same whenever they are asked for.
    static let epoch: Int64 = 1_650_000_000_000
    private static let day: Int64 = 86_400_000

    /// Newest first.
    let domains: [Domain]
    private let places: [Identifier: Int]

    init(seed: UInt64, domains count: Int, jobs: Int) {
        var random = SplitMix64(seed: seed)
        // One sequence for all keys, because no number occurs in it twice.
        domains = (0..<count).map { _ in
            let age = 700 * Self.day + Int64(random.below(UInt64(300 * Self.day)))
            let position = Position(createdAt: Self.epoch - age, key: random.next())
            var lists: [JobKind: JobList] = [:]
            for kind in JobKind.allCases {
                lists[kind] = JobList(count: jobs, newest: Self.epoch, random: &random)
            }
            return Domain(position: position, jobs: lists)
        }.sorted { $0.position < $1.position }
        places = Dictionary(domains.enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The domain with an identifier.
    func domain(_ id: String) -> Domain? {
        guard let place = Identifier(id).flatMap({ places[$0] }) else { return nil }
        return domains[place]
    }
}
