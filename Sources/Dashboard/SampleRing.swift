public import Primitives

/// The course of some counters and gauges over the last samples. It is bounded: a new sample takes the place of the oldest.
public struct SampleRing: Sendable {
    private struct Sample {
        let instant: MonotonicInstant
        let counters: [Double]
        let gauges: [Double]
    }

    /// The samples as they are shown.
    public struct Course: Sendable, Equatable {
        /// The age of each sample in seconds, the oldest first.
        public var ages: [Double] = []
        /// By counter, what it rose by from each sample to the next: one less than there are samples.
        public var rises: [[Double]] = []
        /// By gauge, its value in each sample.
        public var gauges: [[Double]] = []
    }

    /// The names of the counters and of the gauges, in the order of each sample's values.
    public let counters: [String]
    public let gauges: [String]
    private let capacity: Int
    private var samples: [Sample] = []
    /// The place of the oldest sample once there are `capacity`.
    private var oldest = 0

    /// - Parameter capacity: the number of samples that are kept, at least 1.
    public init(counters: [String], gauges: [String], capacity: Int) {
        self.counters = counters
        self.gauges = gauges
        self.capacity = max(1, capacity)
    }

    public var count: Int { samples.count }

    /// Adds a sample. One that has not a value for each name, or is not later than the last, is ignored.
    public mutating func append(counters: [Double], gauges: [Double], at instant: MonotonicInstant) {
        guard counters.count == self.counters.count, gauges.count == self.gauges.count,
            ordered.last.map({ $0.instant < instant }) ?? true
        else { return }
        let sample = Sample(instant: instant, counters: counters, gauges: gauges)
        if samples.count < capacity {
            samples.append(sample)
        } else {
            samples[oldest] = sample
            oldest = (oldest + 1) % capacity
        }
    }

    private var ordered: [Sample] { Array(samples[oldest...] + samples[..<oldest]) }

    /// The samples, their ages reckoned from `now`. A counter that has fallen, because it began anew, has risen by its value.
    public func course(now: MonotonicInstant) -> Course {
        let samples = ordered
        let steps = Array(zip(samples, samples.dropFirst()))
        return Course(
            ages: samples.map { Double(now - $0.instant) / 1e9 },
            rises: counters.indices.map { place in
                steps.map { before, after in
                    let rise = after.counters[place] - before.counters[place]
                    return rise < 0 ? after.counters[place] : rise
                }
            },
            gauges: gauges.indices.map { place in samples.map { $0.gauges[place] } })
    }
}
