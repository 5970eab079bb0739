internal import Primitives

/// The services and operations that targets (`X-Amz-Target`) name, found in constant time, however many there are.
struct TargetTable: Sendable {
    /// A service that a target may mean.
    struct Candidate: Sendable {
        let service: Int
        /// The operation's place in its catalog; nil if that does not know it.
        let place: Int?
        let operation: OperationID
    }

    /// The longest name of an operation that is passed on without being in a catalog.
    private static let maxNameBytes = 128

    private let targets: ByteTable
    private let prefixes: ByteTable
    /// The groups of the targets, then those of the prefixes: where each begins in `candidates`; at the end, where the last ends.
    private let starts: [Int]
    private let candidates: [Candidate]
    private let targetCount: Int
    /// True if two services have one prefix, so that a target alone does not tell which is meant.
    let hasSharedPrefix: Bool

    init(_ services: [Service], _ names: OperationNames) {
        var owners: [[UInt8]: [Service]] = [:]
        for service in services { owners[Array(service.catalog.targetPrefix.utf8), default: []].append(service) }
        let prefixes = owners.keys.sorted { $0.lexicographicallyPrecedes($1) }
        var targets: [[UInt8]] = []
        var starts: [Int] = []
        var candidates: [Candidate] = []
        for prefix in prefixes {
            let owners = owners[prefix] ?? []
            var places: [[UInt8]: [Int: Int]] = [:]
            for owner in owners {
                for (place, operation) in owner.catalog.operations.enumerated() {
                    places[Array(operation.name.utf8), default: [:]][owner.index] = place
                }
            }
            for (name, places) in places.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                targets.append(prefix + [UInt8(ascii: ".")] + name)
                starts.append(candidates.count)
                // Those that know the operation go first.
                for owner in owners where places[owner.index] != nil {
                    candidates.append(Candidate(owner, places[owner.index], names))
                }
                for owner in owners where places[owner.index] == nil { candidates.append(Candidate(owner, nil, names)) }
            }
        }
        for prefix in prefixes {
            starts.append(candidates.count)
            candidates += (owners[prefix] ?? []).map { Candidate($0, nil, names) }
        }
        starts.append(candidates.count)
        self.targets = ByteTable(targets)
        self.prefixes = ByteTable(prefixes)
        self.starts = starts
        self.candidates = candidates
        targetCount = targets.count
        hasSharedPrefix = owners.contains { $0.value.count > 1 }
    }

    subscript(place: Int) -> Candidate { candidates[place] }

    /// The places of the services that have the target's prefix, those whose catalogs know its operation before the others, each in
    /// the order of the configuration. It is empty for a target of no service, or with a malformed name.
    func places(of target: Span<UInt8>) -> Range<Int> {
        if let number = targets.number(of: target) { return starts[number]..<starts[number + 1] }
        var dot = target.count - 1
        while dot >= 0, target[dot] != UInt8(ascii: ".") {
            guard target[dot].isLetter || target[dot].isDigit || target[dot] == UInt8(ascii: "_"),
                target.count - dot <= Self.maxNameBytes
            else { return 0..<0 }
            dot -= 1
        }
        guard dot >= 0, dot < target.count - 1, let number = prefixes.number(of: target.extracting(0..<dot)) else {
            return 0..<0
        }
        return starts[targetCount + number]..<starts[targetCount + number + 1]
    }
}

extension TargetTable.Candidate {
    fileprivate init(_ service: Service, _ place: Int?, _ names: OperationNames) {
        self.init(service: service.index, place: place, operation: names.id(service: service.index, place: place))
    }
}
