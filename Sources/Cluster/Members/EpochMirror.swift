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

    /// Takes the epochs in that Redis has: other data begin anew, those of the same data never fall.
    ///
    /// - Parameter latest: as for `raise`.
    mutating func join(generation: String, _ epochs: [(index: Int, value: UInt64)], latest: UInt64) {
        if generation != self.generation { values = [UInt64](repeating: 0, count: EpochScope.count) }
        self.generation = generation
        for (index, value) in epochs where values.indices.contains(index) && value <= latest {
            values[index] = max(values[index], value)
        }
    }

    /// Takes an epoch in that the log tells of.
    ///
    /// - Parameter latest: the highest that a script can have written. A higher one is forged, and is not kept: it would hide those to come.
    /// - Returns: false if it is the one that is known.
    mutating func raise(_ index: Int, to value: UInt64, latest: UInt64) -> Bool {
        guard values.indices.contains(index), value != values[index] else { return false }
        if value > values[index], value <= latest { values[index] = value }
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
