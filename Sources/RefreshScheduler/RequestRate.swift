internal import Glibc

/// How often a page is asked for: requests and the time in which they came, both forgotten exponentially. Eight bytes.
public struct RequestRate: Sendable, Equatable {
    private var requests: Float = 0
    /// Seconds.
    private var time: Float = 0

    /// In seconds. Rates that change within half an hour are followed.
    private static let memory: Float = 1800
    /// What is taken for known at first: half a request in ten seconds.
    private static let (assumedRequests, assumedTime): (Double, Double) = (0.5, 10)

    public init() {}

    /// Requests a second.
    public var perSecond: Double { (Double(requests) + Self.assumedRequests) / (Double(time) + Self.assumedTime) }

    /// Requests a second, with some that came after those that were added.
    func perSecond(with count: Int, over span: Double) -> Double {
        var rate = self
        rate.add(count, over: span)
        return rate.perSecond
    }

    /// - Parameter span: the seconds in which they came.
    public mutating func add(_ count: Int, over span: Double) {
        guard span > 0, span.isFinite else { return }
        let span = Float(span)
        let kept = expf(-span / Self.memory)
        requests = requests * kept + Float(count)
        time = time * kept + min(span, Self.memory)
    }
}
