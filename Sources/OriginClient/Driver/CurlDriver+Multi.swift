internal import Primitives
internal import CCurl

// Attempts and connections that go through libcurl: HTTP/2, an origin's first reply, and the making of connections.

extension CurlDriver {
    static func makeMulti(maxConnectionsInAll: Int) throws(CurlError) -> OpaquePointer {
        guard CurlLibrary.isReady, let multi = unsafe curl_multi_init() else { throw .driverFault }
        do throws(CurlError) {
            try unsafe set(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, to: maxConnectionsInAll)
            try unsafe set(multi, CURLMOPT_MAXCONNECTS, to: maxConnectionsInAll)
        } catch {
            _ = unsafe curl_multi_cleanup(multi)
            throw error
        }
        return unsafe multi
    }

    static func set(_ multi: OpaquePointer, _ option: CURLMoption, to value: Int) throws(CurlError) {
        guard unsafe ccurl_multi_set_long(multi, option, value) == CURLM_OK else { throw .driverFault }
    }

    /// Closes all connections after `idleLimit` without an attempt, and frees the memory of the busiest time. libcurl itself looks at
    /// the age of a connection only when it needs one, and never sees that an origin has closed one that it keeps.
    func dropIdle(now: MonotonicInstant) {
        guard let idleSince, slotOfID.isEmpty, now - idleSince >= idleLimit,
            let fresh = unsafe try? Self.makeMulti(maxConnectionsInAll: maxConnectionsInAll)
        else { return }
        closeConnections()
        let old = unsafe multi
        unsafe multi = fresh
        slots = []
        free = []
        _ = unsafe curl_multi_cleanup(old)
        connections.removeAll()
        moving = 0
        for pool in pools.indices { pools[pool].forgetOrigin() }
        maxHostConnections = 0
        self.idleSince = nil
    }

    /// Closes and forgets all HTTP/1.1 connections.
    func closeConnections() {
        for connection in http1Connections { close(connection) }
        for pool in pools.indices { pools[pool].idleConnections = [] }
        http1Connections = []
        closedConnections = []
    }

    func pool(for endpoint: Endpoint) throws(CurlError) -> Int {
        let known = pools.firstIndex { $0.endpoint.sharesConnections(with: endpoint) }
        let pool = known ?? pools.count
        if known == nil { pools.append(OriginPool(endpoint, isJoined: !CurlLibrary.canRepeatPriorKnowledge)) }
        let isWider = pools[pool].admit(connections: endpoint.maxConnections)
        // `dropIdle` makes a new multi handle, which has the default.
        if isWider || known == nil || maxHostConnections == 0 { try setMaxHostConnections() }
        return pool
    }

    /// libcurl has one limit for all hosts: the largest sum over the pools of one host. The pools keep their own limits; this one
    /// bounds the connections that HTTP/2 opens for lack of streams.
    func setMaxHostConnections() throws(CurlError) {
        var counts: [[UInt8]: Int] = [:]
        for pool in pools { counts[pool.host, default: 0] += pool.maxConnections }
        let count = min(counts.values.max() ?? 1, Int(Int32.max))
        try unsafe Self.set(multi, CURLMOPT_MAX_HOST_CONNECTIONS, to: count)
        maxHostConnections = count
    }

    func add(_ handle: CurlHandle) throws(CurlError) {
        guard unsafe curl_multi_add_handle(multi, handle.easy) == CURLM_OK else { throw .driverFault }
        moving += 1
        hasLaunched = true
    }

    // MARK: Progress

    func progress(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        hasLaunched = false
        var running: Int32 = 0
        // A fault here is one of the whole multi handle; deadlines end the attempts then.
        _ = unsafe curl_multi_perform(multi, &running)
        collect(now: now, &finished)
    }

    func collect(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let easy = unsafe message.pointee.easy_handle else {
                continue
            }
            // The message is invalid once its handle is removed.
            let code = unsafe message.pointee.data.result
            var word: UnsafeMutableRawPointer?
            _ = unsafe ccurl_get_private(easy, &word)
            let ticket = CurlTicket(word: UInt(bitPattern: word))
            if ticket.slot & HTTP1Connection.mark != 0 {
                connected(ticket, code, now: now, &finished)
                continue
            }
            guard let slot = slot(ticket, in: .running) else {
                _ = unsafe curl_multi_remove_handle(multi, easy)
                continue
            }
            if let detour = slot.detour, code == CURLE_ABORTED_BY_CALLBACK {
                take(detour, slot)
            } else {
                finish(slot, code, now: now, &finished)
            }
        }
    }

    /// The attempt was not sent, because its connection was the wrong one: it is launched again.
    func take(_ detour: CurlConnections.Detour, _ slot: CurlTransfer) {
        hasDetour = true
        detach(slot)
        slot.phase = .waiting
        switch detour {
        case .dirty: slot.needsFresh = true
        case .occupied:
            pools[slot.pool].learn(.http1)
            // Otherwise libcurl could offer the same one again and again.
            slot.needsFresh = true
        // The other attempts find its end soon; libcurl does not offer it any more then.
        case .lost:
            slot.needsFresh = slot.hasMetLost
            slot.hasMetLost = true
        // A reply may have shown it meanwhile.
        case .unproven(let key): if connections.isUnproven(key) { pools[slot.pool].hold() }
        case .nothingToJoin: pools[slot.pool].foundNone()
        }
        pools[slot.pool].enqueue(slot.ticket)
    }

    /// libcurl has made a connection, or has failed to.
    func connected(_ ticket: CurlTicket, _ code: CURLcode, now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        let index = Int(ticket.slot & ~HTTP1Connection.mark)
        guard http1Connections.indices.contains(index) else { return }
        let connection = http1Connections[index]
        guard connection.ticket == ticket, connection.phase == .connecting else { return }
        guard let user = connection.user else { return close(connection) }
        guard let target = pools[connection.pool].target else {
            return finish(user, CURLE_FAILED_INIT, now: now, &finished)
        }
        let fault =
            code == CURLE_OK ? connection.connected(now: now) : connection.isOverdue ? CURLE_OPERATION_TIMEDOUT : code
        guard fault == CURLE_OK else {
            let known = connection.isOverdue ? nil : connection.handle.connectFault(fault)
            if let known, known.isLocalFault, waitsForOther(user, now: now) {
                localFault = known
                return
            }
            user.connectFault = known
            user.connectWords = connection.handle.words
            return finish(user, fault, now: now, &finished)
        }
        moving -= 1
        connection.begin(target)
    }

    /// Lets an attempt whose connection could not be opened from here wait for one that is open, if there is any.
    func waitsForOther(_ slot: CurlTransfer, now: MonotonicInstant) -> Bool {
        let open = http1Connections.count { $0.pool == slot.pool && ($0.phase == .busy || $0.phase == .idle) }
        guard pools[slot.pool].narrow(to: open, now: now) else { return false }
        putBack(slot)
        return true
    }
}
