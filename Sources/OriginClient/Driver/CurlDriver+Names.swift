internal import CCurl

// Pools whose connections go to a name.

extension CurlDriver {
    /// Looks the names of endpoints up before they are needed.
    package func lookUpAhead(_ endpoints: [Endpoint], now: Int64) throws(CurlError) {
        for endpoint in endpoints {
            let pool = try pool(for: endpoint)
            _ = knowsAddresses(in: pool, now: now)
        }
    }

    /// Whether an attempt of a pool could connect. If not, it waits for the answer, or `nameFault` tells why there is none.
    func knowsAddresses(in pool: Int, now: Int64) -> Bool {
        guard let name = pools[pool].name else { return true }
        guard now >= pools[pool].nextNameCheck else { return pools[pool].addresses != nil }
        switch names.ask(name.name, now: now) {
        case .pending: return false
        case .failed(let error):
            pools[pool].nameFault = error
            return false
        case .addresses(let addresses, let version):
            // An answer is looked at again now and then; without one, each end of a lookup is.
            pools[pool].nextNameCheck = CurlClock.after(now, Self.nameCheckInterval)
            guard pools[pool].addressVersion != version || pools[pool].addresses == nil else { return true }
            pools[pool].addresses = try? CurlAddresses(name, addresses)
            pools[pool].addressVersion = version
            return pools[pool].addresses != nil
        }
    }

    /// Keeps the answers fresh, also while no connection is made. Where there is none yet, attempts ask.
    func refreshNames(now: Int64) {
        guard now >= nextNameRefresh else { return }
        nextNameRefresh = CurlClock.after(now, Self.nameCheckInterval)
        for pool in pools.indices where pools[pool].addresses != nil { _ = knowsAddresses(in: pool, now: now) }
    }

    private static var nameCheckInterval: Int64 { 1_000_000_000 }

    /// Ends those who wait for the answer to a lookup that has failed.
    func endNameless(in pool: Int, now: Int64, _ finished: inout [FinishedAttempt]) {
        guard let fault = pools[pool].nameFault else { return }
        pools[pool].nameFault = nil
        while let ticket = pools[pool].dequeue() {
            guard let slot = slot(ticket, in: .waiting) else { continue }
            slot.connectFault = fault
            finish(slot, CURLE_COULDNT_RESOLVE_HOST, now: now, &finished)
        }
    }
}
