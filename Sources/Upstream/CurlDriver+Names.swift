internal import CCurl

// Lanes whose connections go to a name.

extension CurlDriver {
    /// Looks the names of endpoints up before they are needed.
    func lookUpAhead(_ endpoints: [Endpoint], now: Int64) throws(CurlError) {
        for endpoint in endpoints {
            let lane = try lane(for: endpoint)
            _ = knowsAddresses(in: lane, now: now)
        }
    }

    /// Whether an attempt of a lane could connect. If not, it waits for the answer, or `nameFault` tells why there is none.
    func knowsAddresses(in lane: Int, now: Int64) -> Bool {
        guard let name = lanes[lane].name else { return true }
        guard now >= lanes[lane].nextNameCheck else { return lanes[lane].addresses != nil }
        switch names.ask(name.name, now: now) {
        case .pending: return false
        case .failed(let error):
            lanes[lane].nameFault = error
            return false
        case .addresses(let addresses, let version):
            // An answer is looked at again now and then; without one, each end of a lookup is.
            lanes[lane].nextNameCheck = CurlClock.after(now, Self.nameCheckInterval)
            guard lanes[lane].addressVersion != version || lanes[lane].addresses == nil else { return true }
            lanes[lane].addresses = try? CurlAddresses(name, addresses)
            lanes[lane].addressVersion = version
            return lanes[lane].addresses != nil
        }
    }

    /// Keeps the answers fresh, also while no connection is made. Where there is none yet, attempts ask.
    func refreshNames(now: Int64) {
        guard now >= nextNameRefresh else { return }
        nextNameRefresh = CurlClock.after(now, Self.nameCheckInterval)
        for lane in lanes.indices where lanes[lane].addresses != nil { _ = knowsAddresses(in: lane, now: now) }
    }

    private static var nameCheckInterval: Int64 { 1_000_000_000 }

    /// Ends those who wait for the answer to a lookup that has failed.
    func endNameless(in lane: Int, now: Int64, _ finished: inout [FinishedAttempt]) {
        guard let fault = lanes[lane].nameFault else { return }
        lanes[lane].nameFault = nil
        while let ticket = lanes[lane].dequeue() {
            guard let slot = slot(ticket, in: .waiting) else { continue }
            slot.connectFault = fault
            finish(slot, CURLE_COULDNT_RESOLVE_HOST, now: now, &finished)
        }
    }
}
