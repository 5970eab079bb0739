internal import Primitives
internal import CCurl
internal import Glibc

// Attempts over the HTTP/1.1 connections of the driver's own.

extension CurlDriver {
    func hasConnection(in pool: Int, now: MonotonicInstant) -> Bool {
        while let last = pools[pool].idleConnections.last {
            if http1Connections[last].isGood(now: now) { return true }
            pools[pool].idleConnections.removeLast()
            close(http1Connections[last])
        }
        guard knowsAddresses(in: pool, now: now) else { return false }
        if http1Connections.count - closedConnections.count < maxConnectionsInAll { return true }
        // Another pool has one to spare.
        guard let other = pools.indices.first(where: { !pools[$0].idleConnections.isEmpty }) else { return false }
        close(http1Connections[pools[other].idleConnections.removeFirst()])
        return true
    }

    /// Gives an attempt its connection; `hasConnection` must have returned true.
    func launch(_ slot: CurlTransfer, to target: RequestTarget, now: MonotonicInstant) throws(CurlError) {
        if slot.request?.needsFreshConnection == true {
            // It takes the place of an idle one, which may have ended too.
            if !pools[slot.pool].idleConnections.isEmpty {
                close(http1Connections[pools[slot.pool].idleConnections.removeFirst()])
            }
        } else if let index = pools[slot.pool].idleConnections.popLast() {
            slot.useHTTP1Connection(index)
            http1Connections[index].take(slot)
            return http1Connections[index].begin(target)
        }
        guard let endpoint = slot.request?.endpoint else { throw .driverFault }
        let connection = try closedConnection()
        do {
            try connection.handle.setAddresses(pools[slot.pool].addresses)
            try connection.prepare(endpoint, pool: slot.pool, for: slot, now: now)
            try add(connection.handle)
        } catch {
            connection.forget()
            closedConnections.append(connection.index)
            throw error
        }
        slot.useHTTP1Connection(connection.index)
    }

    private func closedConnection() throws(CurlError) -> HTTP1Connection {
        if let index = closedConnections.popLast() { return http1Connections[index] }
        guard let connection = HTTP1Connection(index: http1Connections.count) else { throw .outOfMemory }
        http1Connections.append(connection)
        return connection
    }

    /// The attempt leaves its connection, which others may use if its reply is whole.
    func leaveConnection(_ slot: CurlTransfer, hasReply: Bool) {
        guard let index = slot.http1Connection else { return }
        slot.http1Connection = nil
        let connection = http1Connections[index]
        guard connection.user === slot else { return }
        if hasReply, connection.phase == .busy, connection.isReusable {
            connection.rest(now: .now)
            pools[connection.pool].idleConnections.append(index)
        } else {
            close(connection)
        }
    }

    /// Closes a connection. An idle one must have left its pool.
    func close(_ connection: HTTP1Connection) {
        guard connection.phase != .closed else { return }
        if connection.phase == .connecting { moving -= 1 }
        _ = unsafe curl_multi_remove_handle(multi, connection.handle.easy)
        connection.forget()
        closedConnections.append(connection.index)
    }

    /// Closes connections that were idle for too long; the first idle one has been so longest.
    func closeOldConnections(now: MonotonicInstant) {
        for pool in pools.indices {
            while let first = pools[pool].idleConnections.first, http1Connections[first].isOld(now: now) {
                pools[pool].idleConnections.removeFirst()
                close(http1Connections[first])
            }
        }
    }

    /// Collects the sockets that are to be waited for.
    ///
    /// - Returns: true if something can be read without waiting.
    func awaitSockets() -> Bool {
        var hasMore = false
        // A local variable, because each access to a property of a class is checked for exclusivity.
        var set = pollSet
        pollSet = PollSet()
        set.begin(waker)
        for connection in http1Connections where connection.socket != CURL_SOCKET_BAD && !connection.isHeldUp {
            set.add(connection.socket, events: connection.awaited, connection: connection.index)
            if connection.hasMore { hasMore = true }
        }
        pollSet = set
        return hasMore
    }

    /// Reads and writes where sockets are ready.
    func lookAtSockets(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        for place in pollSet.places {
            let (index, socket, isReady) = pollSet[place]
            let connection = http1Connections[index]
            guard isReady || connection.hasMore else { continue }
            // Another connection may use the entry meanwhile.
            guard connection.socket == socket else { continue }
            switch connection.phase {
            case .busy:
                guard let user = connection.user, case .over(let code) = unsafe connection.goOn(scratch) else {
                    continue
                }
                finish(user, code, now: now, &finished)
            case .idle:
                // The origin has closed it, or has sent bytes that no request asked for.
                pools[connection.pool].idleConnections.removeAll { $0 == connection.index }
                close(connection)
            case .closed, .connecting: break
            }
        }
    }
}
