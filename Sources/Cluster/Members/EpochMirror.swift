internal import PageCache

/// The epochs of all scopes as this gateway knows them from the log. They only rise within a generation.
struct EpochMirror: Sendable {
    /// The epochs that a page was fetched under.
    struct Stamp: Sendable, Equatable {
        let generation: String
        let scope: UInt64
        let service: UInt64
    }

    /// The name of the data in Redis, which changes when they are lost; empty if nothing is known yet.
    private(set) var generation = ""
    private var values = [UInt64](repeating: 0, count: EpochScope.count)

    /// Begins anew with the epochs that Redis has.
    mutating func reset(generation: String, _ epochs: [(index: Int, value: UInt64)]) {
        self.generation = generation
        values = [UInt64](repeating: 0, count: EpochScope.count)
        for (index, value) in epochs where values.indices.contains(index) { values[index] = value }
    }

    /// Takes an epoch in.
    ///
    /// - Returns: true if it has risen.
    mutating func raise(_ index: Int, to value: UInt64) -> Bool {
        guard values.indices.contains(index), value > values[index] else { return false }
        values[index] = value
        return true
    }

    func stamp(_ scope: EpochScope) -> Stamp {
        Stamp(generation: generation, scope: values[Int(scope.index)], service: values[Int(scope.service)])
    }

    /// Returns true if a page that was fetched under these epochs is not void as far as is known here.
    func accepts(_ stamp: Stamp, _ scope: EpochScope) -> Bool {
        !generation.isEmpty && stamp.generation == generation && stamp.scope >= values[Int(scope.index)]
            && stamp.service >= values[Int(scope.service)]
    }
}
