import Testing

@testable import JobsProxy

@Suite("A simulated load")
struct SimulationTests {
    private func figures(_ change: (inout SimulatedLoad) -> Void) throws -> [String: Double] {
        var load = SimulatedLoad()
        load.callers = 20
        change(&load)
        return Dictionary(uniqueKeysWithValues: try Simulation(load).run().figures.map { ($0.name, $0.value) })
    }

    @Test(
        "of callers who poll is answered from the quota, all of it, with pages no older than their ttl and their turn")
    func polling() throws {
        let figures = try figures { _ in }
        #expect(figures["answered"] == 21_600)
        #expect(figures["throttled"] == 0)
        #expect(figures["upstream_throttles"] == 0)
        #expect(try #require(figures["page_age_p99"]) <= 20)
        #expect(try #require(figures["upstream_calls"]) <= 122)
        #expect(figures["least_share"] == 1)
    }

    @Test("is throttled nearly always without a gateway", arguments: SDKRetries.Mode.allCases)
    func direct(retries: SDKRetries.Mode) throws {
        let figures = try figures {
            $0.isDirect = true
            $0.retries = retries
        }
        #expect(try #require(figures["answered"]) <= 122)
        #expect(try #require(figures["upstream_throttles"]) > 100)
    }

    @Test("keeps its pages young beside one who walks through ten thousand others")
    func walker() throws {
        let alone = try #require(try figures { $0.duration = 120_000_000_000 }["page_age_p99"])
        let beside = try figures {
            $0.duration = 120_000_000_000
            $0.walk = 10_000
        }
        #expect(beside["throttled"] == 0 || beside["given_up"] == 0)
        #expect(try #require(beside["page_age_p99"]) <= 2 * alone)
        #expect(beside["upstream_throttles"] == 0)
    }

    @Test("that finds half of its quota taken learns it, and loses one attempt in fifty at most")
    func others() throws {
        let figures = try figures {
            $0.foreignRate = 1
            // The steady state: what it takes to learn is not counted.
            $0.warmUp = 300_000_000_000
            $0.duration = 1_800_000_000_000
            $0.callers = 1
            $0.interval = 5_000_000_000
        }
        let attempts = try #require(figures["upstream_calls"])
        #expect(attempts > 1500)
        #expect(try #require(figures["upstream_throttles"]) <= 0.02 * attempts)
    }

    @Test("comes out the same each time, and in all forms")
    func forms() throws {
        var load = SimulatedLoad()
        load.callers = 3
        let (one, other) = (try Simulation(load).run(), try Simulation(load).run())
        #expect(one.table == other.table)
        #expect(one.json.hasPrefix("{\"answered\":3240,"))
        #expect(one.picture.hasPrefix("<svg ") && one.picture.contains("<polyline"))
        #expect(one.picture == other.picture)
    }
}
