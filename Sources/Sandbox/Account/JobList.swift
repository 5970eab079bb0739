internal import Primitives

/// The jobs of one kind in one domain: those from the start, sorted, once for each filter, and those that were started
/// since, which are newer than all of them.
struct JobList: Sendable {
    private let all: [Job]
    private let byStatus: [JobStatus: [Job]]
    private let places: [UInt64: Int]
    /// Newest first.
    private(set) var started: [StartedJob] = []
    private var byClientToken: [[UInt8]: StartedJob] = [:]

    /// Makes `count` jobs that are there from the start.
    ///
    /// - Parameter key: gives each of them a key of its own.
    init(count: Int, newest: Int64, seed: UInt64, key: (Int) -> UInt64) {
        var random = SplitMix64(seed: seed)
        // Two hours apart on average, less where there are so many that they would reach back more than 300 days.
        let gap = min(7_200_000, 300 * 86_400_000 / Int64(max(1, count)))
        var createdAt = newest
        var positions: [Position] = []
        positions.reserveCapacity(count)
        for index in 0..<count {
            // One job in sixteen has the creation time of its neighbour: paging must survive that.
            if random.below(16) > 0 { createdAt -= Int64(random.below(UInt64(2 * gap))) }
            positions.append(Position(createdAt: createdAt, key: key(index)))
        }
        positions.sort()
        let jobs = positions.enumerated().map { index, position in
            Job(position: position, status: Self.status(at: index, of: count, &random))
        }
        all = jobs
        byStatus = Dictionary(grouping: jobs, by: \.status)
        places = Dictionary(jobs.indices.map { (jobs[$0].position.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The newest tenth waits, the next tenth runs, the rest has ended in one way or another; five jobs are enough for
    /// each status to occur.
    private static func status(at index: Int, of count: Int, _ random: inout SplitMix64) -> JobStatus {
        let tenth = max(1, count / 10)
        switch index - 2 * tenth {
        case ..<(-tenth): return .submitted
        case ..<0: return .inProgress
        case 0: return .completed
        case 1: return .completedWithErrors
        case 2: return .failed
        default:
            switch random.below(10) {
            case 0..<6: return .completed
            case 6..<8: return .completedWithErrors
            default: return .failed
            }
        }
    }

    var count: Int { all.count + started.count }

    func jobs(in status: JobStatus?, now: MonotonicInstant) -> Listing<Job> {
        let news = started.map { $0.job(now: now) }
        guard let status else { return Listing(newer: news, older: all) }
        return Listing(newer: news.filter { $0.status == status }, older: byStatus[status] ?? [])
    }

    func job(_ id: Identifier, now: MonotonicInstant) -> Job? {
        if let place = places[id.key] { return all[place] }
        return started.first { $0.position.key == id.key }?.job(now: now)
    }

    func started(with clientToken: String) -> StartedJob? { byClientToken[Array(clientToken.utf8)] }

    /// Adds a job that is newer than all others.
    mutating func start(_ job: StartedJob, clientToken: String?) {
        started.insert(job, at: 0)
        if let clientToken { byClientToken[Array(clientToken.utf8)] = job }
    }
}

/// Two sorted lists, one after the other, without the copy that joining them would take.
struct Listing<Element>: RandomAccessCollection {
    var newer: [Element] = []
    let older: [Element]

    let startIndex = 0
    var endIndex: Int { newer.count + older.count }

    subscript(index: Int) -> Element { index < newer.count ? newer[index] : older[index - newer.count] }
}
