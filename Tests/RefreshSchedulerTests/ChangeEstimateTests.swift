import Foundation
import TestSupport
import Testing

@testable import RefreshScheduler

@Suite("The estimate of how often a page changes")
struct ChangeEstimateTests {
    /// Observes a page that changes at a rate, at spans that vary by a factor of ten.
    private func observe(_ estimate: inout ChangeEstimate, rate: Double, times: Int, _ generator: inout SeededGenerator)
    {
        for _ in 0..<times {
            let span = exp(Double.random(in: -1.15...1.15, using: &generator)) / rate
            let hasChanged = Double.random(in: 0..<1, using: &generator) < -expm1(-rate * span)
            estimate.observe(hasChanged: hasChanged, over: span)
        }
    }

    @Test("comes near the rate, wherever it began", arguments: [1.0 / 3600, 1.0 / 60, 1.0], [0.001, 0.1])
    func convergence(rate: Double, start: Double) {
        var errors: [Double] = []
        for seed in 0..<20 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var estimate = ChangeEstimate(rate: start, deviation: 2)
            observe(&estimate, rate: rate, times: 60, &generator)
            errors.append(log(estimate.rate / rate))
        }
        #expect(abs(errors.reduce(0, +) / 20) < 0.25)
        #expect(errors.allSatisfy { abs($0) < 1 })
    }

    @Test("follows a rate that has changed")
    func drift() {
        var generator = SeededGenerator(seed: 1)
        var estimate = ChangeEstimate(rate: 0.01, deviation: 2)
        observe(&estimate, rate: 0.01, times: 500, &generator)
        observe(&estimate, rate: 0.1, times: 500, &generator)
        #expect(abs(log(estimate.rate / 0.1)) < 0.7)
    }

    @Test("stays a number, whatever is observed")
    func extremes() {
        var estimate = ChangeEstimate(rate: .infinity, deviation: 0)
        for span in [0, -1, .nan, .infinity, 1e-300, 1e300, 1e9, 1e-9] as [Double] {
            for hasChanged in [true, false, true] {
                for _ in 0..<50 { estimate.observe(hasChanged: hasChanged, over: span) }
                #expect(estimate.rate.isFinite && estimate.rate > 0 && estimate.deviation.isFinite)
            }
        }
    }

    @Test("has the mean and the deviation that it was made with", arguments: [1.0 / 3600, 1.0 / 60, 0.3], [0.5, 2])
    func start(rate: Double, deviation: Double) {
        let estimate = ChangeEstimate(rate: rate, deviation: deviation)
        #expect(abs(log(estimate.rate / rate)) < 0.01)
        #expect(estimate.deviation < deviation + 0.1)
        #expect(estimate.meanRate >= estimate.rate)
    }

    @Test("does not take a fetch after a long time for a sign of a fast rate")
    func long() {
        var estimate = ChangeEstimate(rate: 1.0 / 60, deviation: 2)
        for _ in 0..<5 { estimate.observe(hasChanged: true, over: 1000) }
        // A change in five minutes is as possible as one a second.
        #expect(estimate.deviation > 1)
        for _ in 0..<10 { estimate.observe(hasChanged: false, over: 2) }
        #expect(estimate.rate < 0.1)
    }

    @Test("takes 32 bytes")
    func size() { #expect(MemoryLayout<ChangeEstimate>.size == 32) }
}

@Suite("What is known of pages of a kind")
struct ChangePriorTests {
    @Test("begins with the configured time to live, and moves to how the pages are")
    func learning() {
        var priors = ChangePriors()
        let first = priors.estimate(of: 7, lifetime: 10)
        #expect(abs(1 / first.rate - 60) < 0.1)
        for _ in 0..<400 {
            var page = priors.estimate(of: 7, lifetime: 10)
            for _ in 0..<10 { page.observe(hasChanged: false, over: 600) }
            priors.learn(page, kind: 7)
        }
        #expect(priors.estimate(of: 7, lifetime: 10).rate < 1.0 / 1000)
        #expect(abs(1 / priors.estimate(of: 8, lifetime: 10).rate - 60) < 0.1)
    }
}
