internal import CCurl
internal import Primitives
internal import Streams

// Replies that are passed on as they come.

extension CurlDriver {
    /// Ends the streams whose readers have gone, and lets those go on for which there is room again.
    func tendStreams(now: MonotonicInstant, _ finished: inout [FinishedAttempt]) {
        for index in streaming {
            let slot = slots[index]
            guard let output = slot.collector.output else { continue }
            if output.isClosed {
                finish(slot, CURLE_ABORTED_BY_CALLBACK, now: now, &finished)
            } else if slot.goOnStreaming() {
                hasLaunched = true
            }
        }
    }

    /// Reports the replies that have begun, whose attempts have no deadline from now on.
    func beginStreams() { for index in streaming { beginStream(slots[index]) } }

    func beginStream(_ slot: CurlTransfer) {
        guard slot.phase == .running, let reply = slot.collector.takeBegun(id: slot.id) else { return }
        slot.beginsToStream()
        let waker = waker
        slot.collector.output?.onRoom { waker.wake() }
        begun.append(reply)
    }
}
