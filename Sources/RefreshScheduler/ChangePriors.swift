/// What is known of how often pages change, by their kinds.
///
/// A kind is a number of the caller's, who bounds how many there are.
public struct ChangePriors: Sendable {
    private var kinds: [Int: ChangePrior] = [:]

    public init() {}

    /// The estimate for a page of which nothing is known but its kind.
    ///
    /// - Parameter lifetime: the time to live that is configured for pages of the kind, in seconds.
    public mutating func estimate(of kind: Int, lifetime: Double) -> ChangeEstimate {
        if let known = kinds[kind] { return known.estimate }
        let prior = ChangePrior(lifetime: lifetime)
        kinds[kind] = prior
        return prior.estimate
    }

    /// Takes in what a fetch has told of a page.
    public mutating func learn(_ page: ChangeEstimate, kind: Int) { kinds[kind]?.learn(page) }

    /// All kinds that pages were seen of, in their order, with the estimate for a new one.
    public var all: [(kind: Int, estimate: ChangeEstimate)] {
        kinds.sorted { $0.key < $1.key }.map { ($0.key, $0.value.estimate) }
    }
}
