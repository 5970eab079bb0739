internal import Primitives

extension ConnectionMachine {
    /// The state, with the data that exists in it only. Any state may be followed by `closed`.
    enum State {
        /// No byte of the first request has come. The end of the time closes the connection.
        /// Next: `head`, `content`, `answer`, `room`, `turn`, `idle`, `streams`, `switching`, `last`.
        case first(until: MonotonicInstant)
        /// The last request is answered, and no byte of another one has come. The end of the time closes the connection.
        /// Next: as `first`, except `switching`.
        case idle(until: MonotonicInstant)
        /// A request head, or HTTP/2's preface, is incomplete. The end of the time refuses the request. `until` counts from the first byte.
        /// Next: `content`, `answer`, `room`, `turn`, `idle`, `switching`, `last`.
        case head(until: MonotonicInstant)
        /// The content of a request is incomplete. The end of the time, and too low a rate, refuse the request.
        /// Next: `answer`, `room`, `turn`, `idle`, `last`.
        case content(until: MonotonicInstant, rate: MinimumBodyRate)
        /// The responder answers later and keeps its own deadline. Bytes that come are kept; reading pauses with the first of them.
        /// Next: `idle`, `room`, `streaming`, `last`.
        case answer(AnswerForm)
        /// The content of an answer is passed on as it comes, for as long as it takes. Bytes of the client are kept, as in `answer`. A
        /// part of it that waits to be sent has a deadline; while none has come there is no deadline.
        /// Next: `idle`, `last`.
        case streaming(closes: Bool, WriteStall?)
        /// The client must read an answer before its next request is answered. Reading is paused.
        /// Next: `idle`, `turn`, `last`.
        case room(WriteStall)
        /// The turn is over and more requests have arrived: the event loop gives another turn later. Bytes that come are kept.
        /// Next: `idle`, `room`; for a stream `answer`, `last`.
        case turn
        /// Streams of an HTTP/2 connection are open; each has a machine of its own.
        /// Next: `idle`.
        case streams
        /// HTTP/2 takes over as soon as the running read is over. Bytes that come are kept. `until` is the deadline of the first request.
        /// Next: `handedOver`, `last`.
        case switching(until: MonotonicInstant)
        /// The last answer is on its way. Bytes that come are dropped.
        /// Next: `end`.
        case last(WriteStall)
        /// The last answer has left and the output is closed; the client has until then to close its side. Bytes that come are dropped.
        case end(until: MonotonicInstant)
        case closed
        /// The handler hands every event on to HTTP/2. No state follows.
        case handedOver
    }

    /// The owner's next action.
    enum Action: Equatable {
        case none
        /// Parse the bytes, or the next request in them.
        case parse
        /// Compare the bytes with HTTP/2's preface.
        case matchPreface
        case keep
        case keepAndPause
        case drop
        /// Hand the bytes on to HTTP/2.
        case forward
        /// Read no more.
        case pauseReading
        /// Ask the event loop for a turn.
        case queueTurn
        /// Call `switchToHTTP2` in a task of its own.
        case scheduleSwitch
        /// Answer with a refusal, and close after it.
        case refuse(Refusal)
        /// Report the reason, and close without an answer.
        case abort(Refusal)
        case closeAfterFlush
        /// Close the output, and read on until the client closes its side.
        case halfClose
        case close
    }

    /// How far the protocol of the connection is known.
    enum Opening {
        /// The TLS handshake is not complete, so no answer can be given.
        case handshake
        /// The first bytes may be HTTP/2's preface.
        case preface
        case known
    }
}
