package import Primitives
internal import CCurl

// Pools whose connections go to a name.

extension CurlDriver {
    /// Starts the lookups of endpoints' names before their addresses are needed.
    package func lookUpAhead(_ endpoints: [Endpoint], now: MonotonicInstant) throws(CurlError) {
        for endpoint in endpoints {
            let pool = try pool(for: endpoint)
            _ = knowsAddresses(in: pool, now: now)
        }
    }

    /// Returns true if the addresses of a pool's name are known. If not, a lookup is under way, or `nameFault` says why it failed.
    func knowsAddresses(in pool: Int, now: MonotonicInstant) -> Bool {
        guard let name = pools[pool].name else { return true }
        guard now >= pools[pool].nextNameCheck else { return pools[pool].addresses != nil }
        switch names.ask(name.name, now: now) {
        case .pending: return false
        case .failed(let error):
            pools[pool].nameFault = error
            return false
        case .addresses(let addresses, let version):
            // A known answer is looked at once a second; an unknown one after each lookup.
            pools[pool].nextNameCheck = now + Self.nameCheckInterval
            guard pools[pool].addressVersion != version || pools[pool].addresses == nil else { return true }
            pools[pool].addresses = try? CurlAddresses(name, addresses)
            pools[pool].addressVersion = version
            return pools[pool].addresses != nil
        }
    }

    /// Renews known answers, also while no connection is made. Attempts ask for those that are not known yet.
    func refreshNames(now: MonotonicInstant) {
        guard now >= nextNameRefresh else { return }
        nextNameRefresh = now + Self.nameCheckInterval
        for pool in pools.indices where pools[pool].addresses != nil { _ = knowsAddresses(in: pool, now: now) }
    }

    private static var nameCheckInterval: Int64 { 1_000_000_000 }

    /// Ends the attempts that wait for a lookup that has failed.
    func endNameless(in pool: Int, now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        guard let fault = pools[pool].nameFault else { return }
        pools[pool].nameFault = nil
        while let ticket = pools[pool].dequeue() {
            guard let slot = slot(ticket, in: .waiting) else { continue }
            slot.connectFault = fault
            finish(slot, CURLE_COULDNT_RESOLVE_HOST, now: now, &finished)
        }
    }
}
