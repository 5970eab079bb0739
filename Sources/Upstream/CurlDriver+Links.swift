internal import CCurl

// Attempts that go over links.

extension CurlDriver {
    /// Whether an attempt of a lane could have a link now: one that is idle, or a new one.
    func hasLink(in lane: Int, now: Int64) -> Bool {
        while let last = lanes[lane].idleLinks.last {
            if links[last].isGood(now: now) { return true }
            lanes[lane].idleLinks.removeLast()
            close(links[last])
        }
        guard knowsAddresses(in: lane, now: now) else { return false }
        if links.count - closedLinks.count < maxConnectionsInAll { return true }
        // Others have more than they need.
        guard let other = lanes.indices.first(where: { !lanes[$0].idleLinks.isEmpty }) else { return false }
        close(links[lanes[other].idleLinks.removeFirst()])
        return true
    }

    /// Gives an attempt its link; to be called if there is one.
    func launch(_ slot: CurlTransfer, to target: RequestTarget, now: Int64) throws(CurlError) {
        if slot.request?.needsFreshConnection == true {
            // In place of one of those that may have ended too.
            if !lanes[slot.lane].idleLinks.isEmpty { close(links[lanes[slot.lane].idleLinks.removeFirst()]) }
        } else if let index = lanes[slot.lane].idleLinks.popLast() {
            slot.setLink(index)
            links[index].take(slot)
            return links[index].begin(target)
        }
        guard let endpoint = slot.request?.endpoint else { throw .driverFault }
        let link = try closedLink()
        do {
            try link.handle.setAddresses(lanes[slot.lane].addresses)
            try link.prepare(endpoint, lane: slot.lane, for: slot, now: now)
            try add(link.handle)
        } catch {
            link.forget()
            closedLinks.append(link.index)
            throw error
        }
        slot.setLink(link.index)
    }

    private func closedLink() throws(CurlError) -> CurlLink {
        if let index = closedLinks.popLast() { return links[index] }
        guard let link = CurlLink(index: links.count) else { throw .outOfMemory }
        links.append(link)
        return link
    }

    /// libcurl has made a connection, or has not.
    func connected(_ ticket: CurlTicket, _ code: CURLcode, now: Int64, _ finished: inout [FinishedAttempt]) {
        let index = Int(ticket.slot & ~CurlLink.mark)
        guard links.indices.contains(index), links[index].ticket == ticket, links[index].phase == .connecting else {
            return
        }
        let link = links[index]
        guard let user = link.user else { return close(link) }
        guard let target = lanes[link.lane].target else { return finish(user, CURLE_FAILED_INIT, now: now, &finished) }
        let fault = code == CURLE_OK ? link.connected(now: now) : link.isOverdue ? CURLE_OPERATION_TIMEDOUT : code
        guard fault == CURLE_OK else {
            let known = link.isOverdue ? nil : link.handle.connectFault(fault)
            if let known, known.isLocalFault, waitsForOther(user, now: now) {
                localFault = known
                return
            }
            user.connectFault = known
            return finish(user, fault, now: now, &finished)
        }
        moving -= 1
        link.begin(target)
    }

    /// Lets an attempt whose connection could not be opened from here wait for one that is open, if there is any.
    private func waitsForOther(_ slot: CurlTransfer, now: Int64) -> Bool {
        let open = links.count { $0.lane == slot.lane && ($0.phase == .busy || $0.phase == .idle) }
        guard lanes[slot.lane].narrow(to: open, now: now) else { return false }
        putBack(slot)
        return true
    }

    /// The attempt leaves its link, which others may use if its reply is whole.
    func leaveLink(_ slot: CurlTransfer, hasReply: Bool) {
        guard let index = slot.link else { return }
        slot.link = nil
        let link = links[index]
        guard link.user === slot else { return }
        if hasReply, link.phase == .busy, link.isReusable {
            link.rest(now: CurlClock.now)
            lanes[link.lane].idleLinks.append(index)
        } else {
            close(link)
        }
    }

    /// Closes a link's connection; if it is idle it must have left its lane.
    func close(_ link: CurlLink) {
        guard link.phase != .closed else { return }
        if link.phase == .connecting { moving -= 1 }
        _ = unsafe curl_multi_remove_handle(multi, link.handle.easy)
        link.forget()
        closedLinks.append(link.index)
    }

    /// Closes what nobody has used for long; the first of the idle ones has rested longest.
    func closeOldLinks(now: Int64) {
        for lane in lanes.indices {
            while let first = lanes[lane].idleLinks.first, links[first].isOld(now: now) {
                lanes[lane].idleLinks.removeFirst()
                close(links[first])
            }
        }
    }

    /// Closes and forgets all of them.
    func closeLinks() {
        for link in links { close(link) }
        for lane in lanes.indices { lanes[lane].idleLinks = [] }
        links = []
        closedLinks = []
    }

    /// Collects the sockets that are to be waited for.
    ///
    /// - Returns: whether there is something to read without waiting.
    func awaitSockets() -> Bool {
        var hasMore = false
        // Taken out, because each access to a property of a class is checked.
        var set = pollSet
        pollSet = PollSet()
        set.begin(waker)
        for link in links where link.socket != CURL_SOCKET_BAD {
            set.add(link.socket, events: link.awaited, link: link.index)
            if link.hasMore { hasMore = true }
        }
        pollSet = set
        return hasMore
    }

    /// Goes on where sockets are ready.
    func lookAtSockets(now: Int64, _ finished: inout [FinishedAttempt]) {
        for place in pollSet.places {
            let (index, socket, isReady) = pollSet[place]
            let link = links[index]
            guard isReady || link.hasMore else { continue }
            // Another may have taken its place meanwhile.
            guard link.socket == socket else { continue }
            switch link.phase {
            case .busy:
                guard let user = link.user, case .over(let code) = unsafe link.goOn(scratch) else { continue }
                finish(user, code, now: now, &finished)
            case .idle:
                // The origin has closed it, or says what nobody has asked for.
                lanes[link.lane].idleLinks.removeAll { $0 == link.index }
                close(link)
            case .closed, .connecting: break
            }
        }
    }
}
