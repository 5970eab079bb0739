/// The one entrance to an object that events drive, as its base class.
///
/// A write, a flush, a close or a change of the pipeline may call back into the object before it returns. Such an event waits until the
/// running step has ended, so no step finds the state changed by another one. The flag and the queue are private to this file: a subclass
/// cannot run a step inside a step.
///
/// The flags are plain stored properties because the runtime checks every longer access to a property, and they are read for every
/// request. An idle object holds no memory for the queue.
class EventDriven<Event> {
    private final var isRunning = false
    private final var hasWaiting = false
    private final var waiting: [Event] = []

    /// Handles one event. Called for one event at a time; overridden by each subclass.
    func handle(_ event: Event) {}

    /// Handles an event now, or after the running step.
    final func drive(_ event: Event) {
        guard beginStep() else {
            hasWaiting = true
            return waiting.append(event)
        }
        handle(event)
        endStep()
    }

    /// Begins a step that is no event, because it returns a value or runs for every request.
    ///
    /// - Returns: false if a step is running. After true the caller calls `endStep`.
    @inline(__always)
    final func beginStep() -> Bool {
        guard !isRunning else { return false }
        isRunning = true
        return true
    }

    /// Ends a step: handles the events that came meanwhile.
    @inline(__always)
    final func endStep() {
        if hasWaiting { handleWaiting() }
        isRunning = false
    }

    private final func handleWaiting() {
        while !waiting.isEmpty { handle(waiting.removeFirst()) }
        waiting = []
        hasWaiting = false
    }
}
