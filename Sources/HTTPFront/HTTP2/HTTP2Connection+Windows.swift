internal import NIOCore
internal import NIOHTTP2

/// How much content a client may send (RFC 9113, section 5.2).
///
/// What is kept of incomplete requests must be bounded, and yet each of them must be able to come to its end, whatever the
/// order in which their content arrives. So each stream may send a little unasked, which is enough for most, and a few at a
/// time may send all of their content; the connection's window is the sum of both.
extension HTTP2Connection {
    /// A stream has used up some of its window.
    func windowShrank(to size: Int, of id: HTTP2StreamID) {
        guard let stream = streams[id] else { return }
        stream.window = size
        guard size < loop.limits.streamWindow / 2, stream.awaitsContent, !wide.contains(id), !wishes.contains(id) else {
            return
        }
        wishes.append(id)
        widen()
    }

    /// The client has confirmed the settings: until then it sends by windows of the size that the RFC gives them, and what
    /// a stream has sent already may be more than its window is now (section 6.9.2).
    func windowsChanged(by delta: Int) {
        initialWindow += delta
        for (id, stream) in streams.sorted(by: { $0.key < $1.key }) { windowShrank(to: stream.window + delta, of: id) }
    }

    /// A stream needs no more content.
    func narrow(_ id: HTTP2StreamID) {
        if wide.remove(id) == nil {
            wishes.removeAll { $0 == id }
        } else {
            widen()
        }
    }

    private func widen() {
        while wide.count < HTTPLimits.wideStreams, !wishes.isEmpty {
            let id = wishes.removeFirst()
            wide.insert(id)
            raise(id, by: loop.limits.wideWindow)
        }
    }

    /// Gives back to the connection's window what is no longer kept.
    func updateWindow() {
        guard wait != .closed, wait != .last, wait != .end else { return }
        let target = loop.limits.connectionWindow - streams.values.reduce(0) { $0 + $1.held }
        if target - window >= loop.limits.streamWindow { raise(.rootStream, by: target - window) }
    }

    private func raise(_ id: HTTP2StreamID, by increment: Int) {
        let frame = HTTP2Frame(streamID: id, payload: .windowUpdate(windowSizeIncrement: increment))
        context?.write(wrapOutboundOut(frame), promise: nil)
    }
}
