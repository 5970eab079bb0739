internal import NIOCore

/// What waits at the one entrance to an object that is driven by events: an event that comes in the midst of another's handling, out of a
/// write or a change of the pipeline, waits until that has ended. So no handling finds the state changed behind its back.
///
/// Idle → (`isBusy = true`) busy → (`next` finds nothing) idle. Its owner looks at `isBusy` and `isEmpty` itself, since by far most events
/// find it idle and leave it empty: a call that changes it costs as much as all else here, for the runtime watches it.
struct EventQueue<Event> {
    /// Whether an event is being handled, or a step of the owner's taken.
    var isBusy = false
    private var waiting = CircularBuffer<Event>(initialCapacity: 0)

    init() {}

    /// Whether nothing waits.
    var isEmpty: Bool { waiting.isEmpty }

    /// Adds what came while it was busy.
    mutating func add(_ event: Event) { waiting.append(event) }

    /// The event that is to be handled next; `nil` if there is none, and then handling has ended.
    mutating func next() -> Event? {
        if let event = waiting.popFirst() { return event }
        isBusy = false
        return nil
    }
}
