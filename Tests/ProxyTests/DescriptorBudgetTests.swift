import Testing

@testable import JobsProxy

@Suite("The files that may be open")
struct DescriptorBudgetTests {
    @Test("are shared out without one too many, whatever there is")
    func sum() throws {
        for limit in 64...5000 {
            for services in [[32], [1], [10_000, 32], [Int](repeating: 32, count: 5)] {
                guard let budget = DescriptorBudget(limit: limit, services: services, loops: 2) else {
                    #expect(limit < DescriptorBudget.least(loops: 2))
                    continue
                }
                let upstream = services.reduce(0) { $0 + min($1, budget.perService) }
                #expect(budget.callers + budget.operators + 2 * budget.refused + upstream <= limit - 40)
                #expect(budget.callers >= 2 && budget.operators >= 2 && budget.refused >= 1 && budget.perService >= 1)
            }
        }
    }

    @Test("leave callers by far the most of them")
    func most() throws {
        #expect(try #require(DescriptorBudget(limit: 256, services: [32], loops: 2)).callers >= 100)
        #expect(try #require(DescriptorBudget(limit: 1024, services: [32], loops: 4)).callers >= 700)
        #expect(try #require(DescriptorBudget(limit: 20_000, services: [32], loops: 4)).callers >= 10_000)
        let large = try #require(DescriptorBudget(limit: 1_048_576, services: [32, 64], loops: 64))
        #expect(large.perService == 64)
    }

    @Test("must be enough for the gateway itself")
    func least() {
        for loops in [1, 2, 64] {
            let least = DescriptorBudget.least(loops: loops)
            #expect(DescriptorBudget(limit: least - 1, services: [32], loops: loops) == nil)
            #expect(DescriptorBudget(limit: least, services: [32], loops: loops) != nil)
        }
    }
}
